// A header that is read consists of its fields, whatever chunks it came in; the authors that are read from it are
// addresses that can be written and read again.

#include <cstdint>
#include <string>

#include "signer/from_field.h"
#include "signer/mailbox_list.h"
#include "signer/message_reader.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

void check_fields(const MessageReader& reader) {
  std::string joined;
  for (const HeaderField& field : reader.fields()) {
    require(!field.name.empty() && field.name.find(':') == std::string_view::npos, "a field has a name");
    require(field.raw.ends_with("\r\n") && field.raw.starts_with(field.name), "a field is whole lines");
    joined += field.raw;
  }
  require(joined == reader.header_block(), "a header consists of its fields");
  require(reader.fields().size() <= kMaxHeaderFields, "fields are counted");
}

void check_addresses(const std::vector<MailAddress>& addresses) {
  require(addresses.size() <= kMaxMailboxes, "mailboxes are counted");
  for (const MailAddress& address : addresses) {
    const auto again = MailAddress::parse(address.str());
    require(again.has_value() && *again == address, "an address that was read reads the same when written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view message = source.rest();

  MessageReader whole;
  const auto body = whole.read(message);
  const bool readable = body.has_value() && whole.finish().has_value();

  MessageReader pieces;
  std::string body_of_pieces;
  bool pieces_readable = true;
  fuzz::in_chunks(message, chunk_seed, [&](std::string_view chunk) {
    if (!pieces_readable) return;
    const auto part = pieces.read(chunk);
    pieces_readable = part.has_value();
    if (part) body_of_pieces += *part;
  });
  pieces_readable = pieces_readable && pieces.finish().has_value();
  require(readable == pieces_readable, "chunks do not decide whether a message can be read");
  if (!readable) return 0;
  require(pieces.header_block() == whole.header_block() && body_of_pieces == *body,
          "chunks do not move the end of a header");
  check_fields(whole);
  for (const HeaderField& field : whole.fields()) {
    if (const auto list = parse_mailbox_list(field.value)) check_addresses(*list);
  }
  const auto authors = read_authors(whole.fields());
  if (!authors) return 0;
  require(!authors->empty(), "authors are somebody");
  check_addresses(*authors);
  if (const auto domain = sole_author_domain(*authors)) {
    for (const MailAddress& author : *authors) require(author.domain == *domain, "authors share the sole domain");
  }
  return 0;
}
