#include "signer/named_keys.h"

#include <array>
#include <cstddef>
#include <utility>

#include "policy/tag_list.h"
#include "signer/dkim_signature.h"
#include "signer/header_field.h"

namespace waxwing {
namespace {

constexpr std::array<std::pair<std::string_view, SignatureField>, 3> kSignatures{
    {{"DKIM-Signature", SignatureField::Dkim},
     {"ARC-Message-Signature", SignatureField::ArcMessage},
     {"ARC-Seal", SignatureField::ArcSeal}}};

// The first field of a header with its folds.
std::string_view first_field(std::string_view header) {
  std::size_t end = header.find("\r\n");
  while (end != std::string_view::npos && end + 2 < header.size() &&
         (header[end + 2] == ' ' || header[end + 2] == '\t'))
    end = header.find("\r\n", end + 2);
  return header.substr(0, end == std::string_view::npos ? header.size() : end + 2);
}

void add_key_of(const HeaderField& field, std::set<std::string>& names) {
  for (const auto& [name, kind] : kSignatures) {
    if (!field.is(name)) continue;
    const auto tags = TagList::parse(field.value);
    if (!tags) return;
    DkimSignature signature;
    // A fault of the rest does not matter: what counts is that its key may be asked for.
    (void)read_dkim_signature(*tags, kind, signature);
    if (!signature.key_owner.empty()) names.insert(std::move(signature.key_owner));
  }
}

}  // namespace

// Field by field, since a header that has got its signatures may be over the limits of one that comes in.
void add_named_keys(std::string_view header, std::set<std::string>& names) {
  while (!header.empty()) {
    const std::string_view octets = first_field(header);
    header.remove_prefix(octets.size());
    const auto field = parse_header_block(octets);
    if (field && field->size() == 1) add_key_of(field->front(), names);
  }
}

}  // namespace waxwing
