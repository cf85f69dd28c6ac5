#include "signer/mailbox_list.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

/// Addresses joined by one space, or the kind of error.
std::string read(std::string_view value) {
  const auto addresses = parse_mailbox_list(value);
  if (!addresses) return addresses.error().kind == ErrorKind::Malformed ? "malformed" : "exhausted";
  std::string text;
  for (const MailAddress& address : *addresses) text += (text.empty() ? "" : " ") + address.str();
  return text;
}

TEST_CASE("mailboxes are read in every form of the grammar", "[mailbox_list]") {
  const auto [value, expected] = GENERATE(table<std::string, std::string>({
      {" joe@a.example", "joe@a.example"},
      {"Joe <joe@a.example>", "joe@a.example"},
      {"<joe@a.example>", "joe@a.example"},
      {"\"Joe, the @ <one>\" <joe@a.example>", "joe@a.example"},
      {"\"a\\\"b\\\\\" <joe@a.example>", "joe@a.example"},
      {"joe@A.Example", "joe@a.example"},
      {"joe@a.example, Ann <ann@b.example>", "joe@a.example ann@b.example"},
      {"joe@a.example (Joe)", "joe@a.example"},
      {"(x)joe(y)@(z)a.example(w)", "joe@a.example"},
      {"(a(b(c)\\)) \\( )joe@a.example", "joe@a.example"},
      {"Joe (evil@b.example) <joe@a.example>", "joe@a.example"},
      {"=?utf-8?Q?J=C3=B6rg?= <joe@a.example>", "joe@a.example"},
      {"=?utf-8?Q?ann=40b.example?= <joe@a.example>", "joe@a.example"},
      {"J\xc3\xb6rg <joe@a.example>", "joe@a.example"},
      {"J\xf6rg <joe@a.example>", "joe@a.example"},
      {"J\xc3\xb6rg <j\xc3\xb6rg@b\xc3\xbc"
       "cher.example>",
       "j\xc3\xb6rg@xn--bcher-kva.example"},
      {"Team: joe@a.example, Ann <ann@b.example>;", "joe@a.example ann@b.example"},
      {"Team:joe@a.example;, ann@b.example", "joe@a.example ann@b.example"},
      {"undisclosed recipients:;", ""},
      {"", ""},
      {"\r\n Joe\r\n <joe@a.example>\r\n\t", "joe@a.example"},
      {"\"Joe\r\n Doe\" <joe@a.example>", "joe@a.example"},
      {"\"joe doe\"@a.example", "\"joe doe\"@a.example"},
      {"joe.doe+tag@a.example", "joe.doe+tag@a.example"},
  }));
  CAPTURE(value);
  CHECK(read(value) == expected);
}

TEST_CASE("obsolete forms are read", "[mailbox_list]") {
  const auto [value, expected] = GENERATE(table<std::string, std::string>({
      {"John Q. Public <john@a.example>", "john@a.example"},
      {"joe . doe @ a . example", "joe.doe@a.example"},
      {"joe(x).(y)doe@a(z).example", "joe.doe@a.example"},
      {"\"joe\".doe@a.example", "\"joe.doe\"@a.example"},
      {"Joe <@r1.example,@r2.example:joe@a.example>", "joe@a.example"},
      {"Joe <,@r1.example,,@r2.example:joe@a.example>", "joe@a.example"},
      {",, joe@a.example,,ann@b.example,", "joe@a.example ann@b.example"},
  }));
  CAPTURE(value);
  CHECK(read(value) == expected);
}

TEST_CASE("what programs read differently is refused", "[mailbox_list]") {
  const std::string value = GENERATE(
      as<std::string>(), "joe", "joe@", "@a.example", "<>", "Joe <>", "Joe <joe>", "Joe <joe@a.example",
      "joe@a.example>", "Joe joe@a.example", "ann@b.example <joe@a.example>",
      "=?utf-8?Q?ann@b.example?= <joe@a.example>", "<joe@a.example> <ann@b.example>", "<joe@a.example> ann@b.example",
      "joe@a.example ann@b.example", "joe@a.example.", "joe@.a.example", "joe@a..example", ".joe@a.example",
      "joe.@a.example", "joe..doe@a.example", "joe@a.example@b.example", "<joe@a.example@b.example>",
      "\"Joe <joe@a.example>", "(Joe <joe@a.example>", "Joe) <joe@a.example>", "joe@[192.0.2.1]", "joe@a.example;",
      "Team: joe@a.example", "Team: Inner: joe@a.example;;", ": joe@a.example;", "Team: joe@a.example; x",
      "joe@a.example (", "joe@\"a.example\"", "joe@a.example\\", "<@r.example joe@a.example>", "joe@a_\xff.example",
      std::string("joe\0@a.example", 14), "joe\x01@a.example", "\"a\x7f\" <joe@a.example>", "(a\x01) joe@a.example",
      "(a\\\x01) joe@a.example", "joe@a.example\r", "joe@a.example\n", "(a\rb) joe@a.example", "\"a\\", "(a\\",
      "joe@a.example[", "Joe <[joe@a.example]>");
  CAPTURE(value);
  CHECK(read(value) == "malformed");
}

TEST_CASE("nesting and number are bounded", "[mailbox_list]") {
  CHECK(read(std::string(kMaxCommentDepth, '(') + std::string(kMaxCommentDepth, ')') + "joe@a.example") ==
        "joe@a.example");
  CHECK(read(std::string(kMaxCommentDepth + 1, '(') + std::string(kMaxCommentDepth + 1, ')') + "joe@a.example") ==
        "malformed");
  CHECK(read(std::string(200'000, '(')) == "malformed");

  std::string many;
  for (std::size_t i = 0; i < kMaxMailboxes; ++i) many += "joe@a.example,";
  CHECK(parse_mailbox_list(many).value().size() == kMaxMailboxes);
  CHECK(read(many + "joe@a.example") == "exhausted");
  CHECK(read(std::string(200'000, ',')).empty());
  CHECK(read(std::string(200'000, 'a')) == "malformed");
  CHECK(read(std::string(200'000, '.')) == "malformed");
}

TEST_CASE("any octets cut anywhere give a verdict", "[mailbox_list]") {
  const std::string value =
      "(c\\)) \"q\\\" x\" <@r.example:joe@a.example>, G: a . b@c.example (d);, \xc3\xb6@e.example";
  for (std::size_t cut = 0; cut <= value.size(); ++cut) {
    for (const char c : {'\0', '"', '(', ')', '\\', '<', '>', '@', ':', ';', ',', '\r', '\n', '[', '\xff'}) {
      const std::string verdict = read(value.substr(0, cut) + c + value.substr(cut));
      CHECK((verdict == "malformed" || verdict.find('@') != std::string::npos));
    }
    (void)read(value.substr(0, cut));
  }
}

}  // namespace
}  // namespace waxwing
