#include "relay/server/submitted_header.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

constexpr MissingFields kLabelOnly{.date = false, .message_id = false, .utf8_label = true};

std::string added_to(const std::string& block, MissingFields wanted) {
  const auto fields = parse_header_block(block);
  REQUIRE(fields);
  return compose_missing_fields(*fields, "relay.example.org", QueueId{}, WallTime{}, wanted);
}

TEST_CASE("a body of UTF-8 text without MIME fields is labelled") {
  CHECK(added_to("From: a@example.org\r\n", kLabelOnly) ==
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
}

TEST_CASE("what a message says of its body is left alone") {
  for (const char* field : {"MIME-Version: 1.0", "content-type: text/plain; charset=iso-8859-1",
                            "Content-Type: text/html", "Content-Transfer-Encoding: 8bit"})
    CHECK(added_to(std::string(field) + "\r\n", kLabelOnly).empty());
}

TEST_CASE("Date and Message-ID are added where they are missing") {
  const std::string added = added_to("From: a@example.org\r\n", {});
  CHECK(added.starts_with("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <"));
  CHECK(added.ends_with("@relay.example.org>\r\n"));
  CHECK(added_to("Date: x\r\nMessage-ID: <x@y>\r\n", {}).empty());
}

}  // namespace
}  // namespace waxwing
