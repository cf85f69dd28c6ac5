#include "relay/server/server_engine.h"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include "policy/base64.h"
#include "tests/relay/server/dialogue.h"

namespace waxwing {
namespace {

using Need = SmtpServerEngine::Need;
using namespace std::string_literals;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a client that logs in and sends a message is told its queue id") {
  Dialogue dialogue;
  CHECK(contains(dialogue.log_in(), "235 2.7.0"));
  CHECK(dialogue.say("MAIL FROM:<a@example.org> SIZE=10 BODY=8BITMIME\r\n") == "250 2.1.0 sender ok\r\n");
  CHECK(dialogue.say("RCPT TO:<b@example.net>\r\n") == "250 2.1.5 recipient ok\r\n");
  CHECK(dialogue.say("DATA\r\n").substr(0, 3) == "354");
  CHECK(dialogue.say("From: a@example.org\r\n\r\nhi\r\n.\r\n") == "250 2.0.0 Ok: queued as 0000000000001\r\n");
  CHECK(dialogue.content == "From: a@example.org\r\n\r\nhi\r\n");
  CHECK(dialogue.accepted_envelope.recipients.size() == 1);
  CHECK(dialogue.accepted_envelope.body_8bit);
  CHECK(dialogue.say("QUIT\r\n").substr(0, 3) == "221");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("the postmaster needs no domain and is that of this host") {
  Dialogue dialogue;
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<>\r\nRCPT TO:<PostMaster>\r\nRCPT TO:<postmaster@relay.example>\r\n") ==
        "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n250 2.1.5 recipient ok\r\n");
  dialogue.say("DATA\r\nX: y\r\n\r\n.\r\n");
  REQUIRE(dialogue.accepted_envelope.recipients.size() == 1);
  CHECK(dialogue.accepted_envelope.recipients[0].address.str() == "postmaster@relay.example");
}

TEST_CASE("VRFY and EXPN need a string to ask about") {
  Dialogue dialogue;
  for (const char* verb : {"VRFY", "EXPN"}) {
    CHECK(dialogue.say(verb + " a"s + "\r\n").substr(0, 3) == "252");
    for (const char* nothing : {"", " ", " \"\""}) {
      CHECK(dialogue.say(verb + std::string(nothing) + "\r\n").substr(0, 9) == "501 5.5.4");
    }
  }
}

TEST_CASE("pipelined commands and content give the same replies as single ones") {
  Dialogue dialogue;
  dialogue.log_in();
  const std::string replies = dialogue.say(
      "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\nX: "
      "y\r\n\r\nz\r\n.\r\n"
      "MAIL FROM:<>\r\nRSET\r\nNOOP\r\nQUIT\r\n");
  CHECK(replies ==
        "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n250 2.1.5 recipient ok\r\n"
        "354 end the content with a dot on a line of its own\r\n250 2.0.0 Ok: queued as 0000000000001\r\n"
        "250 2.1.0 sender ok\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n221 2.0.0 goodbye\r\n");
}

TEST_CASE("a session is the same whichever way its octets are cut") {
  const std::string script =
      "EHLO app.example.org\r\nAUTH PLAIN " + encode_base64("\0app\0secret"s) +
      "\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nX: y\r\n\r\n..z\r\n.\r\nQUIT\r\n";
  Dialogue whole;
  const std::string expected = whole.say(script);
  for (std::size_t piece = 1; piece < 40; ++piece) {
    Dialogue cut;
    std::string replies;
    for (std::size_t at = 0; at < script.size(); at += piece)
      replies += cut.say(std::string_view(script).substr(at, piece));
    CHECK(replies == expected);
    CHECK(cut.content == whole.content);
  }
}

TEST_CASE("mail is refused before authentication with a text that says what to configure") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  const std::string reply = dialogue.say("MAIL FROM:<a@example.org>\r\n");
  CHECK(reply.substr(0, 9) == "530 5.7.0");
  CHECK(contains(reply, "user and password"));
}

TEST_CASE("a client that is known sends without a login, where TLS is asked for once there is TLS") {
  SmtpServerEngine::Options options;
  options.known_client = Account{"listener:in", {}, {}, {}};
  Dialogue clear(options);
  clear.say("EHLO mx.example.org\r\n");
  CHECK(clear.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "250");
  options.tls = SmtpServerEngine::Tls::StartTls;
  Dialogue dialogue(options);
  dialogue.say("EHLO mx.example.org\r\n");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
  CHECK(dialogue.say("STARTTLS\r\n").substr(0, 3) == "220");
  dialogue.engine().on_secured(dialogue.now());
  dialogue.say("EHLO mx.example.org\r\n");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "250");
  REQUIRE(dialogue.engine().account());
  CHECK(dialogue.engine().account()->name == "listener:in");
}

TEST_CASE("AUTH LOGIN asks for user and password in turn") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  CHECK(dialogue.say("AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6\r\n");
  CHECK(dialogue.say(encode_base64("app") + "\r\n") == "334 UGFzc3dvcmQ6\r\n");
  CHECK(dialogue.say(encode_base64("secret") + "\r\n").substr(0, 3) == "235");
}

TEST_CASE("AUTH LOGIN takes the user with the command") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  CHECK(dialogue.say("AUTH LOGIN " + encode_base64("app") + "\r\n") == "334 UGFzc3dvcmQ6\r\n");
  CHECK(dialogue.say(encode_base64("secret") + "\r\n").substr(0, 3) == "235");
}

TEST_CASE("authentication can be cancelled, and what is not base64 is refused") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  dialogue.say("AUTH PLAIN\r\n");
  CHECK(dialogue.say("*\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("AUTH PLAIN ====\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("AUTH CRAM-MD5\r\n").substr(0, 3) == "504");
  CHECK(dialogue.say("AUTH PLAIN " + encode_base64("root\0app\0secret"s) + "\r\n").substr(0, 3) == "535");
}

TEST_CASE("the fifth wrong password ends the connection") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  const std::string guess = "AUTH PLAIN " + encode_base64("\0app\0wrong"s) + "\r\n";
  for (unsigned i = 1; i < kMaxFailedLogins; ++i) CHECK(dialogue.say(guess).substr(0, 3) == "535");
  CHECK(dialogue.say(guess).substr(0, 3) == "421");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("on a STARTTLS listener nothing but TLS leads to AUTH") {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::StartTls;
  Dialogue dialogue(options);
  const std::string offer = dialogue.say("EHLO app.example.org\r\n");
  CHECK(contains(offer, "STARTTLS"));
  CHECK_FALSE(contains(offer, "AUTH"));
  CHECK(dialogue.say("AUTH PLAIN AGFwcABzZWNyZXQ=\r\n").substr(0, 3) == "538");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
  // What was pipelined behind STARTTLS in clear text is never executed.
  CHECK(dialogue.say("STARTTLS\r\nEHLO injected.example\r\nNOOP\r\n").substr(0, 3) == "220");
  CHECK(dialogue.engine().need() == Need::TlsHandshake);
  dialogue.engine().on_secured(dialogue.now());
  CHECK(dialogue.serve().empty());
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "503");
  const std::string secured = dialogue.say("EHLO app.example.org\r\n");
  CHECK_FALSE(contains(secured, "STARTTLS"));
  CHECK(contains(secured, "AUTH PLAIN LOGIN"));
}

TEST_CASE("an account may only send as what it was given") {
  Dialogue dialogue;
  dialogue.account.allowed_senders = {"example.org", "*.shop.example", "one@example.net"};
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<a@example.com>\r\n").substr(0, 9) == "550 5.7.1");
  CHECK(dialogue.say("MAIL FROM:<a@shop.example>\r\n").substr(0, 9) == "550 5.7.1");
  CHECK(dialogue.say("MAIL FROM:<two@example.net>\r\n").substr(0, 9) == "550 5.7.1");
  for (const char* allowed : {"a@example.org", "a@x.shop.example", "ONE@example.net"}) {
    CHECK(dialogue.say("MAIL FROM:<"s + allowed + ">\r\n").substr(0, 3) == "250");
    dialogue.say("RSET\r\n");
  }
}

TEST_CASE("content over the limit is refused after its end, and the session goes on") {
  SmtpServerEngine::Options options;
  options.max_message_octets = 10;
  Dialogue dialogue(options);
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<a@example.org> SIZE=11\r\n").substr(0, 9) == "552 5.3.4");
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
  CHECK(dialogue.say("123456789012345\r\n.\r\n").substr(0, 9) == "552 5.3.4");
  CHECK(dialogue.say("NOOP\r\n").substr(0, 3) == "250");
}

TEST_CASE("after a refused message the next one goes under its own envelope, pipelined or not") {
  Dialogue dialogue;
  dialogue.log_in();
  const std::string first =
      "MAIL FROM:<evil@example.org>\r\nRCPT TO:<one@example.net>\r\nDATA\r\n"s + '\0' + "\r\n.\r\n";
  const std::string second = "MAIL FROM:<b@example.org>\r\nRCPT TO:<two@example.net>\r\nDATA\r\nfine\r\n.\r\n";
  const std::string replies = dialogue.say(first + second);
  CHECK(contains(replies, "550 5.6.0"));
  CHECK(contains(replies, "queued as"));
  CHECK(dialogue.accepted_envelope.reverse_path->str() == "b@example.org");
  CHECK(dialogue.accepted_envelope.recipients.front().address.str() == "two@example.net");
}

TEST_CASE("after content with a lone line end nothing more is read, however it came") {
  for (const char* content :
       {"DATA\r\nbare\nline\r\n.\r\n", "DATA\r\nbare\rline\r\n.\r\n", "BDAT 3\r\na\nb", "BDAT 2 LAST\r\na\r"}) {
    Dialogue dialogue;
    dialogue.log_in();
    const std::string replies = dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"s + content +
                                             "MAIL FROM:<evil@example.org>\r\n");
    CHECK(replies.find("550 5.6.0 bare") == replies.rfind("\r\n", replies.size() - 3) + 2);
    CHECK(dialogue.engine().need() == Need::Close);
  }
}

TEST_CASE("when nothing can be stored, MAIL is refused for now") {
  Dialogue dialogue;
  dialogue.log_in();
  dialogue.storage_refusal = ServerReply{452, "4.3.1", {"the disk is full"}};
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n") == "452 4.3.1 the disk is full\r\n");
  CHECK(dialogue.say("RCPT TO:<b@example.net>\r\n").substr(0, 3) == "503");
}

TEST_CASE("a command line that ends with a lone LF closes the connection") {
  Dialogue dialogue;
  CHECK(dialogue.say("EHLO app.example.org\nNOOP\r\n").substr(0, 3) == "521");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("a line that is too long is refused once and forgotten") {
  Dialogue dialogue;
  CHECK(dialogue.say(std::string(kMaxDiscardedOctets, 'x')).empty());
  CHECK(dialogue.say("\r\nNOOP\r\n") == "500 5.5.2 line too long\r\n250 2.0.0 ok\r\n");
}

TEST_CASE("a line without end closes the connection, and so does a response to AUTH without end") {
  Dialogue command;
  command.say(std::string(kMaxDiscardedOctets, 'x'));
  CHECK(command.say("x").substr(0, 3) == "500");
  CHECK(command.engine().need() == Need::Close);
  Dialogue response;
  response.say("EHLO app.example.org\r\nAUTH PLAIN\r\n");
  CHECK(response.say(std::string(kMaxAuthLineOctets, 'A')).empty());
  CHECK(response.say(std::string(kMaxDiscardedOctets, 'A')).substr(0, 3) == "500");
  CHECK(response.engine().need() == Need::Close);
}

TEST_CASE("a request of HTTP closes the connection before its header is read as commands") {
  Dialogue dialogue;
  CHECK(dialogue.say("POST / HTTP/1.1\r\nHost: relay.example\r\n\r\nNOOP\r\n") ==
        "521 5.5.1 this is not a web server; closing the connection\r\n");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("a client that only errs is shown out") {
  Dialogue dialogue;
  std::string last;
  for (unsigned i = 0; i <= kMaxCommandErrors; ++i) last = dialogue.say("NONSENSE\r\n");
  CHECK(last.substr(0, 3) == "421");
  CHECK(dialogue.engine().need() == Need::Close);
}

/// Whether the engine waits until just before `time` and not longer.
void check_closes_after(Dialogue& dialogue, Milliseconds time) {
  dialogue.pass(time - Milliseconds(1));
  dialogue.engine().on_expiry(dialogue.now());
  REQUIRE(dialogue.engine().need() == Need::Bytes);
  dialogue.pass(Milliseconds(1));
  dialogue.engine().on_expiry(dialogue.now());
  CHECK(dialogue.engine().take_output().substr(0, 9) == "421 4.4.2");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("a silent client is closed when its time is over") {
  Dialogue dialogue;
  dialogue.log_in();
  check_closes_after(dialogue, Milliseconds(300'000));
}

TEST_CASE("EHLO must come within a minute, whatever else is said meanwhile") {
  Dialogue dialogue;
  dialogue.pass(Milliseconds(40'000));
  CHECK(dialogue.say("NOOP\r\n").substr(0, 3) == "250");
  check_closes_after(dialogue, Milliseconds(20'000));
}

TEST_CASE("a line that has begun must end within a minute, however often an octet comes") {
  Dialogue dialogue;
  dialogue.log_in();
  dialogue.say("N");
  dialogue.pass(Milliseconds(50'000));
  dialogue.say("O");
  check_closes_after(dialogue, Milliseconds(10'000));
}

TEST_CASE("content must come with some least speed after its first minute") {
  Dialogue dialogue;
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
  dialogue.pass(Milliseconds(59'000));
  dialogue.say(std::string(10 * kLeastContentOctetsPerSecond, 'x'));
  check_closes_after(dialogue, Milliseconds(11'000));
}

TEST_CASE("content without end closes the connection when it is far over the limit") {
  SmtpServerEngine::Options options;
  options.max_message_octets = 1'000;
  Dialogue dialogue(options);
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
  CHECK(dialogue.say("a bare\nline feed" + std::string(1'900, 'x')).empty());
  CHECK(dialogue.say(std::string(200, 'x')).substr(0, 9) == "552 5.3.4");
  CHECK(dialogue.engine().need() == Need::Close);
}

TEST_CASE("acting as another user counts as a wrong password, and a NUL or too much in a login is refused") {
  Dialogue dialogue;
  dialogue.say("EHLO app.example.org\r\n");
  CHECK(dialogue.say("AUTH LOGIN " + encode_base64("app\0x"s) + "\r\n" + encode_base64("secret") + "\r\n")
            .substr(18, 3) == "501");
  CHECK(dialogue.say("AUTH PLAIN " + encode_base64("\0app\0sec\0ret"s) + "\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("AUTH PLAIN " + encode_base64("\0app\0"s + std::string(256, 'x')) + "\r\n").substr(0, 3) == "501");
  const std::string guess = "AUTH PLAIN " + encode_base64("root\0app\0secret"s) + "\r\n";
  for (unsigned i = 1; i < kMaxFailedLogins; ++i) CHECK(dialogue.say(guess).substr(0, 3) == "535");
  CHECK(dialogue.say(guess).substr(0, 3) == "421");
}

TEST_CASE("addresses and parameters are judged by their grammar") {
  Dialogue dialogue;
  dialogue.log_in();
  for (const char* line :
       {"MAIL FROM:a@example.org", "MAIL FROM:<a@example.org", "MAIL FROM:<a@>", "MAIL FROM:<@example.org>",
        "MAIL FROM:<a@example.org>x", "MAIL FROM:<a@example.org> SIZE=x", "MAIL FROM:<a@example.org> SIZE=1 SIZE=1",
        "MAIL FROM:<a@example.org> NEWS=1", "MAIL FROM:<a b@example.org>", "MAIL", "RCPT TO:<b@example.net>",
        "MAIL FROM:<x:a@example.org>", "MAIL FROM:<@relay.example,:a@example.org>", "MAIL FROM:<@a b:a@example.org>",
        "MAIL FROM:<@:a@example.org>", "MAIL FROM:<a@example.org> AUTH=", "MAIL FROM:<a@example.org> AUTH=a+0",
        "MAIL FROM:<a@example.org> AUTH=a+0d", "MAIL FROM:<a@example.org> AUTH=a=b"}) {
    INFO(line);
    CHECK(dialogue.say(std::string(line) + "\r\n").front() == '5');
  }
  CHECK(dialogue.say("MAIL FROM:<a@example.org> AUTH=<>\r\nRSET\r\n").substr(0, 3) == "250");
  CHECK(dialogue.say("MAIL FROM:<a@example.org> AUTH=e+3Dmc2@example.com\r\nRSET\r\n").substr(0, 3) == "250");
  CHECK(dialogue.say("mail from: <\"a b\"@example.org>\r\n").substr(0, 3) == "250");
  CHECK(dialogue.say("RCPT TO:<@relay.example:b@example.net>\r\n").substr(0, 3) == "250");
}

TEST_CASE("recipients over the limit are left for another transaction") {
  SmtpServerEngine::Options options;
  options.max_recipients = 2;
  Dialogue dialogue(options);
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\n");
  CHECK(dialogue.say("RCPT TO:<d@example.net>\r\n").substr(0, 9) == "452 4.5.3");
}

/// A session with sender and recipient, ready for content.
void begin_message(Dialogue& dialogue) {
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n");
}

TEST_CASE("chunks are content as they are, dots and all, and the last one asks for acceptance") {
  Dialogue dialogue;
  begin_message(dialogue);
  CHECK(dialogue.say("BDAT 8\r\nX: y\r\n\r\nBDAT 6\r\n.\r\n..x") ==
        "250 2.0.0 8 octets received\r\n250 2.0.0 6 octets received\r\n");
  CHECK(dialogue.say("BDAT 3 LAST\r\n\r\nz") == "250 2.0.0 Ok: queued as 0000000000001\r\n");
  CHECK(dialogue.content == "X: y\r\n\r\n.\r\n..x\r\nz\r\n");
  CHECK(dialogue.say("DATA\r\n").substr(0, 3) == "503");
}

TEST_CASE("a session with chunks is the same whichever way its octets are cut") {
  const std::string script =
      "EHLO app.example.org\r\nAUTH PLAIN " + encode_base64("\0app\0secret"s) +
      "\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 7\r\nX: y\r\n\rBDAT 0\r\nBDAT 6 "
      "last\r\n\nRSET\r\r\nQUIT\r\n";
  Dialogue whole;
  const std::string expected = whole.say(script);
  CHECK(contains(expected, "550 5.6.0"));  // "RSET" is content, and the lone CR behind it is what is wrong with it
  for (std::size_t piece = 1; piece < 40; ++piece) {
    Dialogue cut;
    std::string replies;
    for (std::size_t at = 0; at < script.size(); at += piece)
      replies += cut.say(std::string_view(script).substr(at, piece));
    CHECK(replies == expected);
    CHECK(cut.content == whole.content);
  }
}

TEST_CASE("the octets of a refused chunk are never read as commands") {
  Dialogue dialogue;
  dialogue.log_in();
  CHECK(dialogue.say("BDAT 6\r\nNOOP\r\nHELP\r\n") ==
        "503 5.5.1 say MAIL and RCPT first\r\n214 2.0.0 see RFC 5321 and RFC 6409\r\n");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\nBDAT 6 LAST\r\nNOOP\r\n").substr(21, 3) == "554");
  CHECK(dialogue.say("RCPT TO:<b@example.net>\r\n").substr(0, 3) == "503");
}

TEST_CASE("a chunk whose end is not known or far away closes the connection") {
  for (const char* line : {"BDAT", "BDAT x", "BDAT -1", "BDAT 0x10", "BDAT +1", "BDAT 1 NEXT", "BDAT 1 LAST LAST",
                           "BDAT 18446744073709551616", "BDAT 999999999999999999999", "BDAT 52428801"}) {
    INFO(line);
    Dialogue dialogue;
    begin_message(dialogue);
    CHECK(dialogue.say(std::string(line) + "\r\nNOOP\r\n").front() == '5');
    CHECK(dialogue.engine().need() == Need::Close);
  }
  Dialogue stranger;
  stranger.say("EHLO app.example.org\r\n");
  CHECK(stranger.say("BDAT 6\r\nNOOP\r\n").substr(0, 3) == "530");
  CHECK(stranger.engine().need() == Need::Close);
}

TEST_CASE("after a failed chunk nothing is left of the transaction") {
  SmtpServerEngine::Options options;
  options.max_message_octets = 10;
  Dialogue dialogue(options);
  begin_message(dialogue);
  CHECK(dialogue.say("BDAT 10\r\n0123456789BDAT 1\r\nxBDAT 1 LAST\r\nyRCPT TO:<c@example.net>\r\n") ==
        "250 2.0.0 10 octets received\r\n552 5.3.4 the limit for a message is 10 octets\r\n"
        "503 5.5.1 say MAIL and RCPT first\r\n503 5.5.1 say MAIL first\r\n");
  CHECK_FALSE(dialogue.engine().in_transaction());
}

TEST_CASE("content that has begun in chunks ends in chunks or not at all") {
  Dialogue dialogue;
  begin_message(dialogue);
  dialogue.say("BDAT 1\r\nx");
  CHECK(dialogue.say("RCPT TO:<c@example.net>\r\n").substr(0, 3) == "503");
  CHECK(dialogue.say("DATA\r\n").substr(0, 3) == "503");
  CHECK(dialogue.say("MAIL FROM:<c@example.org>\r\n").substr(0, 3) == "503");
  CHECK(dialogue.say("RSET\r\nBDAT 1 LAST\r\nx").substr(14, 3) == "503");
}

TEST_CASE("a hundred thousand tiny chunks cost no memory") {
  Dialogue dialogue;
  begin_message(dialogue);
  std::string chunks;
  for (int i = 0; i < 1'000; ++i) chunks += "BDAT 1\r\nx";
  for (int i = 0; i < 100; ++i) {
    dialogue.say(chunks);
    REQUIRE(dialogue.engine().take_content().size() < 65'536 + 1'000);
  }
}

TEST_CASE("addresses that are not ASCII need SMTPUTF8, and control characters nowhere") {
  Dialogue dialogue;
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<\xc3\xa4@example.org>\r\n").substr(0, 9) == "553 5.6.7");
  CHECK(dialogue
            .say("MAIL FROM:<a@b\xc3\xbc"
                 "cher.example>\r\n")
            .substr(0, 9) == "553 5.6.7");
  CHECK(dialogue.say("MAIL FROM:<\xe4@example.org> SMTPUTF8\r\n").substr(0, 3) == "500");
  CHECK(dialogue.say("MAIL FROM:<\xc2\x85@example.org> SMTPUTF8\r\n").substr(0, 3) == "500");
  CHECK(dialogue.say("MAIL FROM:<a@example.org> SMTPUTF8=1\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "250");
  CHECK(dialogue.say("RCPT TO:<\xc3\xa4@example.net>\r\n").substr(0, 9) == "553 5.6.7");
  dialogue.say("RSET\r\n");
  CHECK(dialogue.say("MAIL FROM:<\xc3\xa4@example.org> SMTPUTF8\r\nRCPT TO:<\xc3\xb6@example.net>\r\n") ==
        "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n");
}

}  // namespace
}  // namespace waxwing
