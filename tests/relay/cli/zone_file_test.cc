#include "relay/cli/zone_file.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

TEST_CASE("a short text is one string") {
  CHECK(format_txt_record("s._domainkey.a.example", "v=DKIM1; k=ed25519; p=AAAA") ==
        "s._domainkey.a.example. IN TXT \"v=DKIM1; k=ed25519; p=AAAA\"");
}

TEST_CASE("a text is split into strings of at most 255 octets") {
  CHECK(format_txt_record("a", std::string(255, 'x')) == "a. IN TXT \"" + std::string(255, 'x') + "\"");
  CHECK(format_txt_record("a", std::string(256, 'x')) == "a. IN TXT \"" + std::string(255, 'x') + "\" \"x\"");
  CHECK(format_txt_record("a", std::string(511, 'x')) ==
        "a. IN TXT \"" + std::string(255, 'x') + "\" \"" + std::string(255, 'x') + "\" \"x\"");
}

TEST_CASE("an escape counts as the one octet that it stands for") {
  const std::string line = format_txt_record("a", std::string(255, '"') + "x");
  std::string escaped;
  for (int i = 0; i < 255; ++i) escaped += "\\\"";
  CHECK(line == "a. IN TXT \"" + escaped + "\" \"x\"");
}

TEST_CASE("an empty text is one empty string") {
  CHECK(format_txt_record("a", "") == "a. IN TXT \"\"");
}

TEST_CASE("quotes, backslashes and what is not printable are escaped") {
  CHECK(format_txt_record("a", "\"\\\n\xff") == "a. IN TXT \"\\\"\\\\\\010\\255\"");
}

}  // namespace
}  // namespace waxwing
