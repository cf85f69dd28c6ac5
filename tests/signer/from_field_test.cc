#include "signer/from_field.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

Result<DomainName> author_domain(std::string_view block) {
  const auto fields = parse_header_block(block).value();
  auto authors = read_authors(fields);
  if (!authors) return tl::unexpected(authors.error());
  return sole_author_domain(*authors);
}

TEST_CASE("the author domain is that of the one From field", "[from_field]") {
  CHECK(author_domain("To: x@b.example\r\nfrom: Joe <joe@A.example>\r\n").value().str() == "a.example");
  CHECK(author_domain("From: joe@a.example, ann@a.EXAMPLE\r\n").value().str() == "a.example");
}

TEST_CASE("a message without author is told apart from one with too many", "[from_field]") {
  CHECK(author_domain("To: x@b.example\r\n").error().kind == ErrorKind::NotFound);
  CHECK(author_domain("From: joe@a.example\r\nFrom: joe@a.example\r\n").error().kind == ErrorKind::Conflict);
  CHECK(author_domain("From: joe@a.example\r\nfrom : joe@a.example\r\n").error().kind == ErrorKind::Conflict);
  CHECK(author_domain("From: joe@a.example, ann@b.example\r\n").error().kind == ErrorKind::Conflict);
  CHECK(author_domain("From: nobody:;\r\n").error().kind == ErrorKind::Malformed);
  CHECK(author_domain("From:\r\n").error().kind == ErrorKind::Malformed);
  CHECK(author_domain("From: joe\r\n").error().kind == ErrorKind::Malformed);
}

TEST_CASE("the refusal of mixed domains names both", "[from_field]") {
  const Error error = author_domain("From: joe@a.example, ann@sub.a.example\r\n").error();
  CHECK(error.detail.find("a.example and of sub.a.example") != std::string::npos);
}

}  // namespace
}  // namespace waxwing
