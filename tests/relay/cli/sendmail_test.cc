#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "relay/cli/sendmail_arguments.h"
#include "relay/cli/sendmail_message.h"

namespace waxwing {
namespace {

using Words = std::vector<std::string>;
using Mode = SendmailArguments::Mode;

SendmailArguments read(const Words& words, const std::string& program = "sendmail") {
  const auto arguments = parse_sendmail_arguments(program, words);
  REQUIRE(arguments);
  return *arguments;
}

const Caller kCaller{"app", "The App", "host.example"};

LocalMessage compose(const std::string& input, const Words& words) {
  const auto message = compose_local_message(input, read(words), kCaller);
  if (!message) FAIL(message.error().detail);
  return *message;
}

TEST_CASE("the callers of sendmail in the field are understood") {
  const SendmailArguments php = read({"-t", "-i", "-fa@client.example"});
  CHECK(php.recipients_from_header);
  CHECK_FALSE(php.dot_ends);
  CHECK(php.sender == "a@client.example");
  const SendmailArguments phpmailer = read({"-oi", "-fa@client.example", "-t"});
  CHECK((phpmailer.recipients_from_header && !phpmailer.dot_ends));
  CHECK(read({"-bs"}).mode == Mode::Dialogue);
  const SendmailArguments rails = read({"-i", "-f", "a@b.example", "--", "c@d.example", "-x@d.example"});
  CHECK(rails.sender == "a@b.example");
  CHECK(rails.recipients == Words{"c@d.example", "-x@d.example"});
  const SendmailArguments cron = read({"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "user"});
  CHECK(cron.full_name == "CronDaemon");
  CHECK(cron.body_8bit);
  CHECK(cron.recipients == Words{"user"});
  CHECK(read({"-it"}).recipients_from_header);
  CHECK(read({"-f", "<>", "a@b.example"}).sender == "");
  CHECK(read({"-v", "-oi", "-om", "-ep", "-U", "-OErrorMode=mail", "-O", "x=y", "-h", "3", "a@b.example"}).recipients ==
        Words{"a@b.example"});
  const SendmailArguments dsn = read({"-N", "success,delay", "-Rhdrs", "-V", "id1", "a@b.example"});
  CHECK(dsn.notify == "success,delay");
  CHECK(dsn.returned_content == "hdrs");
  CHECK(dsn.envelope_id == "id1");
}

TEST_CASE("other names of the program mean other work") {
  CHECK(read({}, "mailq").mode == Mode::ListQueue);
  CHECK(read({"-bp"}).mode == Mode::ListQueue);
  CHECK(read({}, "newaliases").mode == Mode::Nothing);
  CHECK(read({"-bi"}).mode == Mode::Nothing);
  CHECK(read({"-q30m"}).mode == Mode::Nothing);
}

TEST_CASE("what cannot be done is said") {
  for (const Words& words : {Words{"-bd"}, Words{"-f"}, Words{"-Z"}, Words{"-BBINARY"}, Words{"-N", "sometimes"},
                             Words{"-R", "some"}, Words{"-V", "a b"}, Words{"-V", "a+0D"}}) {
    CAPTURE(words);
    CHECK_FALSE(parse_sendmail_arguments("sendmail", words));
  }
}

TEST_CASE("recipients of the header are taken with -t, and Bcc goes") {
  const LocalMessage message = compose(
      "From: \"A, B\" <a@client.example>\nTo: \"X, Y\" <x@far.example>, y@far.example (comment, here)\nCc: group: "
      "z@far.example, root;\nBCC:\n hidden@far.example\nSubject: s\n\nbody\n",
      {"-t", "-i", "-fbounce@client.example", "extra@far.example"});
  CHECK(message.sender == "bounce@client.example");
  CHECK(message.recipients == Words{"extra@far.example", "x@far.example", "y@far.example", "z@far.example",
                                    "root@host.example", "hidden@far.example"});
  CHECK(message.content.find("hidden") == std::string::npos);
  CHECK(message.content.find("Subject: s\r\n\r\nbody\r\n") != std::string::npos);
}

TEST_CASE("of a message that is sent again only the Resent- fields count") {
  const LocalMessage message =
      compose("To: x@far.example\nResent-To: y@far.example\nResent-From: a@client.example\n\n", {"-t"});
  CHECK(message.recipients == Words{"y@far.example"});
}

TEST_CASE("without -f the caller sends, and From is added where it is missing") {
  const LocalMessage message = compose("Subject: s\n\nbody\n", {"-F", "Cron \"D\"", "root"});
  CHECK(message.sender == "app@host.example");
  CHECK(message.recipients == Words{"root@host.example"});
  CHECK(message.content == "Subject: s\r\nFrom: \"Cron \\\"D\\\"\" <app@host.example>\r\n\r\nbody\r\n");
  CHECK(compose("no header at all\n", {"root"}).content ==
        "From: The App <app@host.example>\r\n\r\nno header at all\r\n");
}

TEST_CASE("a header with a line that is no field goes to the relay as it is") {
  const std::string input = "From: a@b.example\nthis is no field\nFrom : x@y.example\n\nbody\n";
  CHECK(compose(input, {"root"}).content ==
        "From: a@b.example\r\nthis is no field\r\nFrom : x@y.example\r\n\r\nbody\r\n");
  CHECK(compose("From: a@b.example\n", {"root"}).content == "From: a@b.example\r\n\r\n");
}

TEST_CASE("a lone dot ends the message unless the caller says otherwise") {
  CHECK(compose("From: a@b.example\n\none\n.\ntwo\n", {"root"}).content.ends_with("\r\none\r\n"));
  CHECK(compose("From: a@b.example\n\none\n.\ntwo\n", {"-i", "root"}).content.ends_with("\r\n.\r\ntwo\r\n"));
  CHECK(compose("From app Thu Jan  1\nFrom: a@b.example\n\nx\n", {"root"}).content == "From: a@b.example\r\n\r\nx\r\n");
}

TEST_CASE("octets and addresses outside ASCII are told") {
  CHECK(compose("From: a@b.example\n\n\xc3\xa4\n", {"root"}).body_8bit);
  CHECK_FALSE(compose("From: a@b.example\n\nx\n", {"root"}).body_8bit);
  CHECK(compose("From: a@b.example\n\nx\n", {"\xc3\xa4@far.example"}).smtputf8);
}

TEST_CASE("an address that is none, and no address at all, are mistakes of the caller") {
  for (const Words& words : {Words{"-t"}, Words{"a@b@c"}, Words{"a b@far.example c"}, Words{"-f", "a@", "root"},
                             Words{"x@far.example\r\nDATA"}}) {
    CAPTURE(words);
    CHECK_FALSE(compose_local_message("Subject: s\n\n", read(words), kCaller));
  }
}

}  // namespace
}  // namespace waxwing
