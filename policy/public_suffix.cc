#include "policy/public_suffix.h"

#include <libpsl.h>

#include <cstdio>
#include <string>

namespace waxwing {

PublicSuffixList PublicSuffixList::built_in() {
  return PublicSuffixList(psl_builtin());
}

Result<PublicSuffixList> PublicSuffixList::parse(std::string_view text) {
  const auto malformed = [] { return fail(ErrorKind::Malformed, "the list of public suffixes holds no rule"); };
  if (text.empty()) return malformed();
  std::string buffer(text);  // fmemopen() wants to be able to write
  std::FILE* file = fmemopen(buffer.data(), buffer.size(), "r");
  if (!file) return fail(ErrorKind::Exhausted, "there is no memory for the list of public suffixes");
  PublicSuffixList list(psl_load_fp(file));
  std::fclose(file);
  if (!list.list_ || psl_suffix_count(list.list_.get()) <= 0) return malformed();
  return list;
}

std::optional<DomainName> PublicSuffixList::registrable_domain(const DomainName& domain) const {
  const char* found = psl_registrable_domain(list_.get(), domain.str().c_str());
  if (!found) return std::nullopt;
  // It points into the name that was asked for.
  const std::string_view registrable(found);
  std::size_t labels = 1;
  for (const char c : registrable) labels += c == '.' ? 1 : 0;
  return domain.last_labels(labels);
}

// The library knows its own list and leaves it alone.
void PublicSuffixList::Release::operator()(const psl_ctx_st* list) const {
  psl_free(const_cast<psl_ctx_st*>(list));
}

}  // namespace waxwing
