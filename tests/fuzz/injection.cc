// Whatever JSON says, no string of it becomes more of a message than its field, and the envelope is within bounds.

#include <algorithm>
#include <cstdint>
#include <string>

#include "relay/server/injection.h"
#include "signer/header_field.h"
#include "tests/fuzz/finding.h"

using namespace waxwing;
using fuzz::require;

namespace {

bool is_raw(std::string_view body) {
  return body.find("raw") != std::string_view::npos || body.find("\\u") != std::string_view::npos;
}

// What we composed ourselves: a header with one From, none of the fields that only the envelope may know.
void check_composed(const std::string& content) {
  const std::size_t end = content.find("\r\n\r\n");
  require(end != std::string::npos, "a message has a header and a body");
  const std::string header = content.substr(0, end + 2);  // the fields are views of it
  const auto fields = parse_header_block(header);
  require(fields.has_value(), "what we compose is a header");
  for (const char* name : {"From", "Subject", "MIME-Version", "Content-Type"}) {
    require(std::ranges::count_if(*fields, [name](const HeaderField& field) { return field.is(name); }) == 1,
            "a field of ours stands once");
  }
  for (const char* name : {"Bcc", "Received", "Return-Path", "DKIM-Signature"}) {
    require(std::ranges::none_of(*fields, [name](const HeaderField& field) { return field.is(name); }),
            "a field that is not the client's does not stand");
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    require(content[i] >= 0, "what we compose is ASCII");
    if (content[i] == '\n') require(i > 0 && content[i - 1] == '\r', "lines end with CRLF");
    if (content[i] == '\r') require(i + 1 < content.size() && content[i + 1] == '\n', "lines end with CRLF");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(octets), size);
  const auto injection = parse_injection(body);
  if (!injection) {
    require(injection.error().kind == ErrorKind::Malformed && !injection.error().detail.empty(),
            "a refusal has a reason");
    return 0;
  }
  const Envelope& envelope = injection->envelope;
  require(!envelope.recipients.empty() && envelope.recipients.size() <= 4 * kMaxInjectedRecipients,
          "recipients are counted");
  for (const EnvelopeRecipient& recipient : envelope.recipients) {
    const std::string address = recipient.address.str();
    require(std::ranges::none_of(address, [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
            "an address is one line");
  }
  if (!is_raw(body)) check_composed(injection->content);
  return 0;
}
