#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/result.h"

struct psl_ctx_st;  // psl_ctx_t

namespace waxwing {

/// Suffixes under which people register domains ("com", "co.uk"), as publicsuffix.org lists them. RFC 9989 does without
/// such a list; RFC 7489 finds organizational domains by one. Lookups may run on several threads.
class PublicSuffixList {
 public:
  /// The list that the library was built with.
  [[nodiscard]] static PublicSuffixList built_in();

  /// Reads a list in the format of publicsuffix.org.
  /// @errors  Malformed: there is no rule in it
  [[nodiscard]] static Result<PublicSuffixList> parse(std::string_view text);

  /// The public suffix of a domain with the label before it; no value: the domain is a public suffix itself. A
  /// top-level domain that is not listed is a public suffix.
  [[nodiscard]] std::optional<DomainName> registrable_domain(const DomainName& domain) const;

 private:
  struct Release {
    void operator()(const psl_ctx_st* list) const;
  };
  explicit PublicSuffixList(const psl_ctx_st* list) : list_(list) {}
  std::unique_ptr<const psl_ctx_st, Release> list_;
};

}  // namespace waxwing
