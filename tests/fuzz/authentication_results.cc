// Authentication-Results are read or refused, and what was read reads the same when it is written as a field.

#include "signer/authentication_results.h"

#include <cstdint>
#include <string>

#include "signer/header_field.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

/// What a field says, without comments, which need not survive.
std::string words(const AuthenticationResults& results) {
  std::string text = results.authserv_id;
  for (const auto& method : results.methods) {
    text += "\n" + method.method + "=" + method.result + "\nreason=" + method.reason;
    for (const auto& property : method.properties) {
      text += "\n" + property.ptype + "." + property.property + "=" + property.value;
    }
  }
  return text;
}

AuthenticationResults written_and_read(const AuthenticationResults& results) {
  const std::string field = results.field();
  const auto fields = parse_header_block(field);
  require(fields.has_value() && fields->size() == 1, "what is written is one field");
  require(fields->front().is("Authentication-Results"), "the field has its name");
  const auto again = AuthenticationResults::parse(fields->front().value);
  require(again.has_value(), "a field that was written can be read");
  return *again;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view value = fuzz::OctetSource(octets, size).rest();
  const std::string id = read_authserv_id(value);
  const auto results = AuthenticationResults::parse(value);
  if (!results) return 0;
  require(results->authserv_id == id, "the id is the same when it is read alone");
  require(results->methods.size() <= kMaxReportedMethods, "methods are counted");
  // Octets that no field may hold are left out in writing, so the first writing may lose some, and the second none.
  const AuthenticationResults once = written_and_read(*results);
  require(once.methods.size() == results->methods.size(), "no method is lost");
  require(words(written_and_read(once)) == words(once), "what was written reads the same");
  return 0;
}
