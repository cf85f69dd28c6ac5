#include "relay/server/drop_file.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

namespace {

const std::string kName = "0123456789abcdef0123456789abcdef.msg";

}  // namespace

TEST_CASE("names of dropped files are as we make them, and no two are the same") {
  const auto one = make_drop_name();
  const auto another = make_drop_name();
  REQUIRE((one && another));
  CHECK(is_drop_name(*one));
  CHECK(*one != *another);
  CHECK(is_drop_name(kName));
  for (const char* wrong : {"", ".msg", "0123456789abcdef0123456789abcdef.msg.part",
                            "../456789abcdef0123456789abcdef.msg", "0123456789ABCDEF0123456789abcdef.msg"})
    CHECK_FALSE(is_drop_name(wrong));
}

TEST_CASE("the envelope of a dropped file is read as SMTP says it") {
  const std::string head = drop_file_mark(kName) + "MAIL FROM:<a@example.org> BODY=8BITMIME ENVID=1\r\n" +
                           "RCPT TO:<b@example.net> NOTIFY=NEVER\r\nRCPT TO:<c@example.net>\r\nDATA\r\n";
  const auto read = parse_drop_envelope(kName, head + "X: y\r\n\r\n");
  REQUIRE(read);
  CHECK(read->octets == head.size());
  CHECK(read->envelope.reverse_path->str() == "a@example.org");
  CHECK(read->envelope.body_8bit);
  CHECK(read->envelope.notice.envelope_id == "1");
  REQUIRE(read->envelope.recipients.size() == 2);
  CHECK(read->envelope.recipients[0].notice.notify == NotifyWish{});
}

TEST_CASE("what is not made as a dropped file is none") {
  const std::string mark = drop_file_mark(kName);
  const std::string mail = "MAIL FROM:<a@example.org>\r\n";
  const std::string rcpt = "RCPT TO:<b@example.net>\r\n";
  const std::string wrong[] = {"",
                               mail + rcpt + "DATA\r\n",
                               drop_file_mark("fedcba9876543210fedcba9876543210.msg") + mail + rcpt + "DATA\r\n",
                               mark + mail + "DATA\r\n",
                               mark + rcpt + mail + "DATA\r\n",
                               mark + mail + mail + rcpt + "DATA\r\n",
                               mark + mail + rcpt,
                               mark + mail + rcpt + "QUIT\r\n",
                               mark + mail + "RCPT TO:<postmaster>\r\nDATA\r\n",
                               mark + mail + "RCPT TO:<b@example.net\nDATA\r\n",
                               mark + mail + "RCPT TO:<\xc3\xa4@example.net>\r\nDATA\r\n",
                               mark + "MAIL FROM:<a@example.org> " + std::string(3'000, 'x') + "\r\n"};
  for (const std::string& text : wrong) {
    CAPTURE(text);
    CHECK_FALSE(parse_drop_envelope(kName, text));
  }
  std::string many = mark + mail;
  for (std::size_t i = 0; i <= kMaxDropRecipients; ++i) many += "RCPT TO:<b" + std::to_string(i) + "@example.net>\r\n";
  CHECK_FALSE(parse_drop_envelope(kName, many + "DATA\r\n"));
}
