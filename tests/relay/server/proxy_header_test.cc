#include "relay/server/proxy_header.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;
using State = ProxyHeaderReader::State;

namespace {

using namespace std::string_literals;

const std::string kMark = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(char command, char family, const std::string& addresses) {
  std::string header = kMark + command + family;
  header += static_cast<char>(addresses.size() >> 8);
  header += static_cast<char>(addresses.size() & 0xff);
  return header + addresses;
}

// Fed octet by octet, it must come to the same.
State read(ProxyHeaderReader& reader, const std::string& octets) {
  ProxyHeaderReader slow;
  State state = State::More;
  for (const char octet : octets) {
    if (state != State::More) break;
    state = slow.on_bytes(std::string(1, octet));
  }
  const State whole = reader.on_bytes(octets);
  CHECK(state == whole);
  if (whole == State::Done) CHECK(slow.client() == reader.client());
  return whole;
}

}  // namespace

TEST_CASE("a header of version 1 tells the client, and what follows stays") {
  ProxyHeaderReader reader;
  REQUIRE(read(reader, "PROXY TCP4 192.0.2.7 198.51.100.1 56324 587\r\nEHLO x\r\n") == State::Done);
  CHECK(reader.client()->str() == "192.0.2.7");
  CHECK(reader.rest() == "EHLO x\r\n");
  ProxyHeaderReader six;
  REQUIRE(read(six, "PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n") == State::Done);
  CHECK(six.client()->str() == "2001:db8::7");
  ProxyHeaderReader unknown;
  REQUIRE(read(unknown, "PROXY UNKNOWN whatever it says\r\n") == State::Done);
  CHECK_FALSE(unknown.client());
}

TEST_CASE("a header of version 2 tells the client, with whatever is added behind the addresses") {
  ProxyHeaderReader reader;
  REQUIRE(read(reader, binary('\x21', '\x11', "\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x34\x02\x4b\x03\x00\x01x"s) +
                           "rest") == State::Done);
  CHECK(reader.client()->str() == "192.0.2.7");
  CHECK(reader.rest() == "rest");
  ProxyHeaderReader six;
  REQUIRE(
      read(six, binary('\x21', '\x21', "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(20, '\0'))) ==
      State::Done);
  CHECK(six.client()->str() == "2001:db8::7");
  ProxyHeaderReader local;
  REQUIRE(read(local, binary('\x20', '\0', "")) == State::Done);
  CHECK_FALSE(local.client());
}

TEST_CASE("anything else is no header") {
  const std::string headers[] = {"EHLO app.example.org\r\n",
                                 "PROXY\r\n",
                                 "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
                                 "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
                                 "PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536\r\n",
                                 "PROXY TCP4 192.0.2.7 198.51.100.1 01 587\r\n",
                                 "PROXY TCP4  192.0.2.7 198.51.100.1 1 587\r\n",
                                 "PROXY TCP5 192.0.2.7 198.51.100.1 1 587\r\n",
                                 "proxy TCP4 192.0.2.7 198.51.100.1 1 587\r\n",
                                 "PROXY TCP4 192.0.2.7 198.51.100.1 1 587 x\r\n",
                                 "PROXY TCP4 " + std::string(200, '1') + "\r\n",
                                 binary('\x11', '\x11', std::string(12, '\1')),
                                 binary('\x22', '\x11', std::string(12, '\1')),
                                 binary('\x21', '\x12', std::string(12, '\1')),
                                 binary('\x21', '\x11', std::string(11, '\1')),
                                 binary('\x21', '\x21', std::string(35, '\1')),
                                 binary('\x21', '\x11', std::string(4'000, '\1')),
                                 "\r\n\r\nEHLO"};
  for (const std::string& header : headers) {
    CAPTURE(header);
    ProxyHeaderReader reader;
    CHECK(read(reader, header) == State::Invalid);
  }
}

TEST_CASE("a header that is not complete is waited for") {
  ProxyHeaderReader reader;
  CHECK(reader.on_bytes("PROXY TCP4 192.0.2.7 198.51.") == State::More);
  CHECK(reader.on_bytes("100.1 1 2\r") == State::More);
  CHECK(reader.on_bytes("\n") == State::Done);
}
