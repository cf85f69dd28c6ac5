#include "relay/queue/bounce.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "relay/queue/bounce_text.h"

using namespace waxwing;

namespace {

const WallTime kNow{Milliseconds{1'769'860'800'000}};  // 2026-01-31 12:00 UTC

MailAddress address(const std::string& text) {
  return MailAddress::parse(text).value();
}

QueuedMessage original_message() {
  QueuedMessage message;
  message.id = QueueId(1);
  message.accepted = kNow - Seconds{60};
  message.tenant = "shop";
  message.reverse_path = address("sender@client.example");
  message.message_id = "<original@client.example>";
  message.header =
      "From: sender@client.example\r\nSubject: hello\r\n world\r\nMessage-ID: <original@client.example>\r\n";
  return message;
}

ReportedRecipient failed_recipient() {
  return {address("gone@far.example"), "5.1.1",           "mx1.far.example said that the mailbox does not exist.",
          "550 5.1.1 no such user",    "mx1.far.example", kNow};
}

BounceOptions options() {
  return {"relay.example", kNow, Seconds{86'400}, 99};
}

std::vector<QueuedMessage> bounces_of(const QueuedMessage& original, const std::vector<ReportedRecipient>& failed) {
  QueueIdSource ids(5);
  return compose_bounces(original, failed, options(), ids);
}

QueuedMessage bounce_of(const ReportedRecipient& failed, const QueuedMessage& original = original_message()) {
  auto reports = bounces_of(original, {failed});
  REQUIRE(reports.size() == 1);
  return reports.front();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find("\r\n", start);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(start, end - start));
    start = end + 2;
  }
  return lines;
}

std::string boundary_of(const QueuedMessage& report) {
  const std::size_t start = report.header.find("boundary=\"") + 10;
  return report.header.substr(start, report.header.find('"', start) - start);
}

// Contents of the MIME parts, each with its header; fails unless the body is exactly a sequence of parts.
std::vector<std::string> parts_of(const QueuedMessage& report) {
  const std::string delimiter = "--" + boundary_of(report);
  std::vector<std::string> parts;
  for (const std::string& line : lines_of(report.body)) {
    if (line == delimiter) {
      parts.emplace_back();
    } else if (line == delimiter + "--") {
      return parts;
    } else {
      REQUIRE_FALSE(parts.empty());
      parts.back() += line + "\r\n";
    }
  }
  FAIL("no closing delimiter");
  return parts;
}

void check_well_formed(const QueuedMessage& report) {
  REQUIRE(report.body.size() <= kMaxInlineBodyOctets);
  REQUIRE(report.body.size() == report.body_octets);
  REQUIRE(report.header.ends_with("\r\n"));
  for (const std::string& line : lines_of(report.header + report.body)) {
    REQUIRE(line.size() <= 998);
    REQUIRE(std::ranges::all_of(line, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; }));
  }
  REQUIRE(parts_of(report).size() == 3);
}

bool has_line(const std::string& text, const std::string& line) {
  const auto lines = lines_of(text);
  return std::ranges::find(lines, line) != lines.end();
}

}  // namespace

TEST_CASE("a bounce tells people and programs which recipient failed and why") {
  const QueuedMessage report = bounce_of(failed_recipient());
  check_well_formed(report);
  const auto parts = parts_of(report);
  CHECK(parts[0].find("<gone@far.example>\r\n  mx1.far.example said that the mailbox does not exist.") !=
        std::string::npos);
  CHECK(parts[1].starts_with("Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n"));
  for (const char* line :
       {"Arrival-Date: Sat, 31 Jan 2026 11:59:00 +0000", "Final-Recipient: rfc822; gone@far.example", "Action: failed",
        "Status: 5.1.1", "Remote-MTA: dns; mx1.far.example", "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        "Last-Attempt-Date: Sat, 31 Jan 2026 12:00:00 +0000"}) {
    CAPTURE(line);
    CHECK(has_line(parts[1], line));
  }
  CHECK(parts[2].find("Subject: hello\r\n world\r\n") != std::string::npos);
}

TEST_CASE("texts of a bounce are broken at spaces, and the status part has one block for each recipient") {
  ReportedRecipient failed = failed_recipient();
  for (int i = 0; i < 20; ++i) failed.remote_reply += " and more";
  const QueuedMessage report = bounces_of(original_message(), {failed, failed}).front();
  for (const std::string& part : {parts_of(report)[0], parts_of(report)[1]}) {
    CHECK(std::ranges::all_of(lines_of(part), [](const std::string& line) { return line.size() <= 78; }));
  }
  // After the header of the part and between the blocks.
  CHECK(std::ranges::count(lines_of(parts_of(report)[1]), std::string()) == 4);
}

TEST_CASE("a bounce goes to the sender from a null reverse-path and says that it was made by a program") {
  const QueuedMessage report = bounce_of(failed_recipient());
  CHECK_FALSE(report.reverse_path.has_value());
  REQUIRE(report.recipients.size() == 1);
  CHECK(report.recipients[0].address.str() == "sender@client.example");
  CHECK(report.recipients[0].state == RecipientState::Queued);
  CHECK(report.recipients[0].next_attempt == kNow);
  CHECK(report.account.empty());
  CHECK(report.tenant == "shop");
  CHECK(report.expires == kNow + Seconds{86'400});
  CHECK(report.id != QueueId(1));
  for (const char* line : {"From: Mail Delivery System <postmaster@relay.example>", "To: <sender@client.example>",
                           "Auto-Submitted: auto-replied", "In-Reply-To: <original@client.example>",
                           "Date: Sat, 31 Jan 2026 12:00:00 +0000"}) {
    CAPTURE(line);
    CHECK(has_line(report.header, line));
  }
  CHECK(has_line(report.header, "Message-ID: " + report.message_id));
}

TEST_CASE("a message with a null reverse-path is never answered") {
  QueuedMessage original = original_message();
  original.reverse_path.reset();
  CHECK(bounces_of(original, {failed_recipient()}).empty());
}

TEST_CASE("nothing that a remote server says becomes a header field, a MIME part or a control character") {
  for (const std::string& hostile :
       {std::string("550 no\r\nBcc: victim@other.example\r\n\r\n<script>"), std::string("550 \n\n--=_\n"),
        std::string("550 a\rb\0c\x1b[31m\xe2\x80\xa8 d", 20), std::string(100'000, 'x'), std::string(70'000, '\n'),
        std::string("550 \xff\xfe\xc3\xa9")}) {
    ReportedRecipient failed = failed_recipient();
    failed.remote_reply = hostile;
    failed.reason = hostile;
    failed.mx_name = hostile;
    failed.status = hostile;
    const QueuedMessage report = bounce_of(failed);
    check_well_formed(report);
    const auto status = parts_of(report)[1];
    CHECK(has_line(status, "Status: 5.0.0"));
    CHECK(status.find("\r\nBcc:") == std::string::npos);
    // Two blocks of fields: of the message, of the recipient.
    CHECK(std::ranges::count(lines_of(status), std::string()) <= 4);
  }
}

TEST_CASE("the author of the original cannot end the part with its header") {
  QueuedMessage original = original_message();
  const std::string boundary = boundary_of(bounce_of(failed_recipient()));
  original.header += "X-Guess: 1\r\n\t--" + boundary + "--\r\n";
  const QueuedMessage report = bounce_of(failed_recipient(), original);
  CHECK(boundary_of(report) != boundary);
  check_well_formed(report);
}

TEST_CASE("a returned header that is not clean ASCII is encoded") {
  QueuedMessage original = original_message();
  original.header = "Subject: caf\xc3\xa9 = 1 \r\nX-Long: " + std::string(3'000, 'y') + "\r\n";
  const QueuedMessage report = bounce_of(failed_recipient(), original);
  check_well_formed(report);
  const auto part = parts_of(report)[2];
  CHECK(has_line(part, "Content-Transfer-Encoding: quoted-printable"));
  CHECK(has_line(part, "Subject: caf=C3=A9 =3D 1=20"));
  CHECK(std::ranges::all_of(lines_of(part), [](const std::string& line) { return line.size() <= 76; }));
}

TEST_CASE("fields that are too large for a bounce are left out, whole") {
  QueuedMessage original = original_message();
  original.header = "X-Huge: " + std::string(900, 'z');
  for (int i = 0; i < 100; ++i) original.header += "\r\n " + std::string(900, 'z');
  original.header += "\r\nSubject: small\r\n";
  const QueuedMessage report = bounce_of(failed_recipient(), original);
  check_well_formed(report);
  CHECK(parts_of(report)[2].find("zzz") == std::string::npos);
  CHECK(has_line(parts_of(report)[2], "Subject: small"));
}

TEST_CASE("many recipients with long texts are spread over several bounces, none of them too large") {
  ReportedRecipient failed = failed_recipient();
  failed.reason = std::string(5'000, 'r');
  failed.remote_reply = std::string(5'000, 'p');
  QueuedMessage original = original_message();
  original.header = "X-Long: " + std::string(900, 'z');
  for (int i = 0; i < 24; ++i) original.header += "\r\n " + std::string(900, 'z');
  std::size_t reported = 0;
  std::set<QueueId> ids;
  for (const QueuedMessage& report : bounces_of(original, std::vector<ReportedRecipient>(100, failed))) {
    check_well_formed(report);
    const auto lines = lines_of(parts_of(report)[1]);
    reported += static_cast<std::size_t>(std::ranges::count(lines, std::string("Action: failed")));
    CHECK(ids.insert(report.id).second);
  }
  CHECK(reported == 100);
  CHECK(ids.size() > 1);
}

TEST_CASE("a hundred ordinary recipients fit into one bounce") {
  CHECK(bounces_of(original_message(), std::vector<ReportedRecipient>(100, failed_recipient())).size() == 1);
}

TEST_CASE("addresses outside ASCII are written as RFC 6533 wants them, and the bounce needs SMTPUTF8") {
  QueuedMessage original = original_message();
  original.reverse_path = address("j\xc3\xb6rg@client.example");
  ReportedRecipient failed = failed_recipient();
  failed.address = address("\xe2\x98\x83+x@far.example");
  const QueuedMessage report = bounce_of(failed, original);
  CHECK(report.needs_smtputf8);
  CHECK(has_line(parts_of(report)[1], "Final-Recipient: utf-8; \\x{2603}\\x{2B}x@far.example"));
  CHECK(has_line(report.header, "To: <j\xc3\xb6rg@client.example>"));
  CHECK_FALSE(bounce_of(failed_recipient()).needs_smtputf8);
}

TEST_CASE("a bounce of a message with REQUIRETLS asks for it, too, and TLS-Required: No is not inherited") {
  QueuedMessage original = original_message();
  CHECK(bounce_of(failed_recipient(), original).tls_request == TlsRequest::None);
  original.tls_request = TlsRequest::Required;
  CHECK(bounce_of(failed_recipient(), original).tls_request == TlsRequest::Required);
  original.tls_request = TlsRequest::Optional;
  CHECK(bounce_of(failed_recipient(), original).tls_request == TlsRequest::None);
}

TEST_CASE("status codes are told from other text") {
  for (const char* good : {"5.1.1", "4.4.7", "2.0.0", "5.10.123"}) CHECK(is_enhanced_status(good));
  for (const char* bad :
       {"", "5", "5.1", "5.1.", "5..1", "3.1.1", "5.1.1 ", "5.1111.1", "55.1.1", "5.1.a", "5.1.1.1"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_enhanced_status(bad));
  }
}

TEST_CASE("text becomes one printable line of bounded length") {
  CHECK(printable_line(" a \r\n b\t", 100) == "a b");
  CHECK(printable_line("a\x01\x02\x80z", 100) == "a?z");
  CHECK(printable_line("really??", 100) == "really??");
  CHECK(printable_line("abcdefghij", 10) == "abcdefghij");
  CHECK(printable_line("abcdefghijk", 10) == "abcdefg...");
}

TEST_CASE("a report names what the sender called its message and its recipient") {
  QueuedMessage original = original_message();
  original.notice.envelope_id = "QQ+2B1";
  ReportedRecipient failed = failed_recipient();
  failed.original_recipient = "rfc822;list+2Ba@client.example";
  const QueuedMessage report = bounce_of(failed, original);
  check_well_formed(report);
  const auto parts = parts_of(report);
  CHECK(has_line(parts[1], "Original-Envelope-Id: QQ+1"));
  CHECK(has_line(parts[1], "Original-Recipient: rfc822;list+a@client.example"));
}

TEST_CASE("each kind of news is a report of its own") {
  ReportedRecipient delayed = failed_recipient();
  delayed.action = ReportedAction::Delayed;
  delayed.status = "4.4.1";
  ReportedRecipient relayed = failed_recipient();
  relayed.action = ReportedAction::Relayed;
  relayed.status = "2.0.0";
  const auto reports = bounces_of(original_message(), {relayed, delayed, failed_recipient()});
  REQUIRE(reports.size() == 3);
  const char* actions[] = {"Action: failed", "Action: delayed", "Action: relayed"};
  for (std::size_t i = 0; i < 3; ++i) {
    check_well_formed(reports[i]);
    const auto parts = parts_of(reports[i]);
    CHECK(has_line(parts[1], actions[i]));
    CHECK((parts[1].find("Will-Retry-Until:") != std::string::npos) == (i == 1));
    CHECK((reports[i].header.find("Undelivered") != std::string::npos) == (i == 0));
  }
}

TEST_CASE("all of a small message goes back when its sender asked for it") {
  QueuedMessage original = original_message();
  original.body = "the body\r\n";
  original.body_octets = original.body.size();
  CHECK_FALSE(is_returned_whole(original));
  original.notice.content = ReturnedContent::Full;
  const QueuedMessage report = bounce_of(failed_recipient(), original);
  check_well_formed(report);
  CHECK(parts_of(report)[2] == "Content-Type: message/rfc822\r\n\r\n" + original.header + "\r\nthe body\r\n\r\n");
  original.body = std::string(70'000, 'x');
  CHECK_FALSE(is_returned_whole(original));
  original.body = "\xc3\xa4\r\n";
  CHECK_FALSE(is_returned_whole(original));
  original.body = std::string(999, 'x') + "\r\n";
  CHECK_FALSE(is_returned_whole(original));
  original.body = "spooled";
  original.spooled = true;
  CHECK_FALSE(is_returned_whole(original));
}

TEST_CASE("a sender is told of what it asked for, and of failures when it asked for nothing") {
  const RecipientNotice nothing;
  CHECK(is_wanted(ReportedAction::Failed, nothing));
  CHECK_FALSE(is_wanted(ReportedAction::Delayed, nothing));
  CHECK_FALSE(is_wanted(ReportedAction::Relayed, nothing));
  const RecipientNotice never{NotifyWish{}, ""};
  for (const auto action : {ReportedAction::Failed, ReportedAction::Delayed, ReportedAction::Relayed})
    CHECK_FALSE(is_wanted(action, never));
  CHECK(is_wanted(ReportedAction::Relayed, {NotifyWish{true, false, false}, ""}));
  CHECK_FALSE(is_wanted(ReportedAction::Failed, {NotifyWish{true, false, true}, ""}));
  CHECK(is_wanted(ReportedAction::Delayed, {NotifyWish{false, false, true}, ""}));
}

TEST_CASE("a report names what its sender asked about time") {
  QueuedMessage original = original_message();
  original.deliver_by = DeliverBy{kNow, ByMode::Return, false};
  original.release_request = "for;3600";
  const QueuedMessage report = bounce_of(failed_recipient(), original);
  check_well_formed(report);
  const auto parts = parts_of(report);
  CHECK(has_line(parts[1], "Arrival-Date: Sat, 31 Jan 2026 11:59:00 +0000"));
  CHECK(has_line(parts[1], "Deliver-By-Date: Sat, 31 Jan 2026 12:00:00 +0000"));
  CHECK(has_line(parts[1], "Future-Release-Request: for;3600"));
}

TEST_CASE("news about the time that a sender gave are wanted unless it asked for none") {
  for (const auto action : {ReportedAction::Delayed, ReportedAction::Relayed}) {
    CHECK(is_wanted_of_time(action, {}));
    CHECK(is_wanted_of_time(action, {NotifyWish{false, false, true}, ""}));
    CHECK_FALSE(is_wanted_of_time(action, {NotifyWish{}, ""}));
  }
  CHECK_FALSE(is_wanted_of_time(ReportedAction::Delayed, {NotifyWish{false, true, false}, ""}));
  CHECK(is_wanted_of_time(ReportedAction::Relayed, {NotifyWish{false, true, false}, ""}));
}
