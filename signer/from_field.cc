#include "signer/from_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "signer/mailbox_list.h"

namespace waxwing {

Result<std::vector<MailAddress>> read_authors(std::span<const HeaderField> header) {
  const HeaderField* from = nullptr;
  for (const HeaderField& field : header) {
    if (!field.is("From")) continue;
    if (from != nullptr)
      return fail(ErrorKind::Conflict, "the message has more than one From field; receivers refuse that");
    from = &field;
  }
  if (from == nullptr) return fail(ErrorKind::NotFound, "the message has no From field");
  auto authors = parse_mailbox_list(from->value);
  if (!authors) return fail(authors.error().kind, fmt::format("From: {}", authors.error().detail));
  if (authors->empty()) return fail(ErrorKind::Malformed, "the From field names no address");
  return authors;
}

Result<DomainName> sole_author_domain(std::span<const MailAddress> authors) {
  assert(!authors.empty());
  const DomainName& first = authors.front().domain;
  const auto other =
      std::find_if(authors.begin(), authors.end(), [&](const MailAddress& author) { return author.domain != first; });
  if (other == authors.end()) return first;
  return fail(ErrorKind::Conflict,
              fmt::format("the From field names authors of {} and of {}; receivers can check one domain only",
                          first.str(), other->domain.str()));
}

}  // namespace waxwing
