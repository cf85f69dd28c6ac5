#include "relay/cli/arguments.h"

#include <sysexits.h>

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

Arguments parse(const std::vector<std::string>& words) {
  const auto arguments = parse_arguments(words);
  if (!arguments) UNSCOPED_INFO(arguments.error().err);
  REQUIRE(arguments);
  return *arguments;
}

ArgumentsExit refuse(const std::vector<std::string>& words) {
  const auto arguments = parse_arguments(words);
  REQUIRE_FALSE(arguments);
  return arguments.error();
}

TEST_CASE("every command is understood") {
  CHECK(parse({"keys", "create", "a.example", "s1"}).command == Command::KeysCreate);
  CHECK(parse({"keys", "list"}).command == Command::KeysList);
  CHECK(parse({"keys", "dns", "a.example"}).command == Command::KeysDns);
  CHECK(parse({"keys", "create", "a.example"}).key.selector.empty());
  CHECK(parse({"keys", "rotate"}).command == Command::KeysRotate);
  const Arguments rotate = parse({"keys", "rotate", "a.example", "--now", "--wait", "--timeout", "60"});
  CHECK(rotate.rotation.domain == "a.example");
  CHECK((rotate.rotation.now && rotate.rotation.wait && !rotate.rotation.dry_run));
  CHECK(rotate.rotation.time_limit == Seconds(60));
  CHECK(parse({"keys", "revoke", "a.example", "s1"}).rotation.selector == "s1");
  CHECK(parse({"keys", "check"}).command == Command::KeysCheck);
  CHECK(parse({"keys", "log", "a.example"}).command == Command::KeysLog);
  CHECK(parse({"keys", "seal", "--former-file", "/old"}).command == Command::KeysSeal);
  CHECK(parse({"keys", "export", "a.example", "s1"}).command == Command::KeysExport);
  CHECK(parse({"keys", "import", "pem", "a.example", "s1", "/key"}).command == Command::KeysImportPem);
  CHECK(parse({"keys", "import", "opendkim", "/KeyTable"}).command == Command::KeysImportOpenDkim);
  CHECK(parse({"keys", "import", "rspamd"}).command == Command::KeysImportRspamd);
  CHECK(parse({"keys", "import", "exim", "/keys", "--selector", "s1"}).command == Command::KeysImportExim);
  CHECK(parse({"queue", "list"}).command == Command::QueueList);
  CHECK(parse({"queue", "show", "X"}).command == Command::QueueShow);
  CHECK(parse({"queue", "retry", "X"}).command == Command::QueueRetry);
  CHECK(parse({"queue", "drop", "X"}).command == Command::QueueDrop);
  CHECK(parse({"queue", "bounce", "X", "--reason", "why"}).command == Command::QueueBounce);
  CHECK(parse({"queue", "retry", "X", "--reason", "mended"}).reason == "mended");
  CHECK(parse({"queue", "salvage", "--state-directory", "/old", "--to", "/new"}).salvage.target == "/new");
  CHECK_FALSE(parse_arguments({"queue", "salvage", "--to", "/new"}).has_value());
  CHECK(parse({"top", "--once"}).command == Command::Top);
  CHECK(parse({"top", "--once"}).once);
  CHECK(parse({"audit", "list", "--limit", "5"}).limit == 5);
  CHECK(parse({"queue", "hold", "X", "--reason", "why"}).command == Command::QueueHold);
  CHECK(parse({"queue", "release", "--all"}).command == Command::QueueRelease);
  CHECK(parse({"queue", "ids"}).command == Command::QueueIds);
  CHECK(parse({"explain", "a@b.example"}).command == Command::Explain);
  CHECK(parse({"check", "config"}).command == Command::CheckConfig);
  CHECK(parse({"config", "explain"}).command == Command::ConfigExplain);
  CHECK(parse({"account", "add", "shop"}).command == Command::AccountAdd);
  CHECK(parse({"account", "passwd", "shop"}).command == Command::AccountPasswd);
  CHECK(parse({"account", "list"}).command == Command::AccountList);
}

TEST_CASE("keys of other programs are described by their files") {
  const Arguments opendkim =
      parse({"keys", "import", "opendkim", "/KeyTable", "--signing-table", "/SigningTable", "--dry-run"});
  CHECK(opendkim.key_source.path == "/KeyTable");
  CHECK(opendkim.key_source.signing_table == "/SigningTable");
  CHECK(opendkim.dry_run);
  const Arguments rspamd = parse({"keys", "import", "rspamd", "--selector-map", "/s", "--path-map", "/p", "--path",
                                  "/keys/$domain", "--selector", "dkim"});
  CHECK(rspamd.key_source.selector_map == "/s");
  CHECK(rspamd.key_source.path_map == "/p");
  CHECK(rspamd.key_source.path == "/keys/$domain");
  CHECK(rspamd.key_source.selector == "dkim");
  CHECK_FALSE(rspamd.dry_run);
  CHECK(refuse({"keys", "import"}).status == EX_USAGE);
  CHECK(refuse({"keys", "import", "exim", "/keys"}).status == EX_USAGE);
  CHECK(refuse({"keys", "export", "a.example"}).status == EX_USAGE);
}

TEST_CASE("the configuration and the format may stand before and behind the command") {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--config", "/c", "--json", "keys", "list"},
                                                                 {"keys", "--config=/c", "list", "--json"},
                                                                 {"keys", "list", "--json", "--config", "/c"}}) {
    const Arguments arguments = parse(words);
    CHECK(arguments.config_path == "/c");
    CHECK(arguments.format == OutputFormat::Json);
  }
  CHECK(parse({"keys", "list"}).config_path == "/etc/waxwing/waxwing.toml");
  CHECK(parse({"keys", "list"}).format == OutputFormat::Text);
}

TEST_CASE("keys create makes a pair of 2,048 bits unless told otherwise") {
  const Arguments plain = parse({"keys", "create", "a.example", "s1"});
  CHECK(plain.key.domain == "a.example");
  CHECK(plain.key.selector == "s1");
  CHECK(plain.key.algorithm == KeyAlgorithm::Pair);
  CHECK(plain.key.rsa_bits == 2'048);
  const Arguments other = parse({"keys", "create", "a.example", "s1", "--algorithm", "rsa", "--bits", "4096"});
  CHECK(other.key.algorithm == KeyAlgorithm::Rsa);
  CHECK(other.key.rsa_bits == 4'096);
  CHECK(parse({"keys", "create", "a.example", "s1", "--algorithm", "ed25519"}).key.algorithm == KeyAlgorithm::Ed25519);
}

TEST_CASE("options of the queue and of accounts reach their fields") {
  const Arguments list = parse({"queue", "list", "--domain", "b.example", "--account", "shop", "--limit", "7"});
  CHECK(list.selection.domain == "b.example");
  CHECK(list.selection.account == "shop");
  CHECK(list.limit == 7);
  CHECK(parse({"queue", "drop", "X", "--reason", "spam run"}).reason == "spam run");
  const Arguments filtered = parse({"queue", "drop", "--tenant", "shop", "--from", "<>", "--saying", "greylisted",
                                    "--older-than", "2h", "--dry-run"});
  CHECK(filtered.selection.tenant == "shop");
  CHECK(filtered.selection.sender == "<>");
  CHECK(filtered.selection.saying == "greylisted");
  CHECK(filtered.selection.older_than == Seconds(7'200));
  CHECK(filtered.selection.dry_run);
  CHECK_FALSE(parse_arguments({"queue", "drop", "--older-than", "soon"}).has_value());
  CHECK_FALSE(parse_arguments({"queue", "drop", "--dry-run"}).has_value());
  CHECK_FALSE(parse_arguments({"queue", "bounce", "--all"}).has_value());
  CHECK(parse({"queue", "retry", "--all"}).selection.all);
  const Arguments add = parse({"account", "add", "shop", "--tenant", "t", "--sender", "a.example", "--sender",
                               "*.b.example", "--password-file", "/p"});
  CHECK(add.account == "shop");
  CHECK(add.tenant == "t");
  CHECK(add.senders == std::vector<std::string>{"a.example", "*.b.example"});
  CHECK(add.password_file == "/p");
  CHECK(parse({"account", "add", "--sender", "a.example", "shop"}).account == "shop");
}

TEST_CASE("a probe takes a domain") {
  const Arguments probe = parse({"probe", "smtp", "b.example"});
  CHECK(probe.command == Command::ProbeSmtp);
  CHECK(probe.probed_domain == "b.example");
  CHECK(parse({"probe", "dane", "b.example"}).command == Command::ProbeDane);
  CHECK(parse({"probe", "mta-sts", "b.example"}).command == Command::ProbeMtaSts);
}

TEST_CASE("a command of three words is found, with its options") {
  CHECK(parse({"report", "tls", "list"}).command == Command::ReportTlsList);
  const Arguments show = parse({"report", "tls", "show", "b.example", "--day", "2026-01-31", "--json"});
  CHECK(show.command == Command::ReportTlsShow);
  CHECK(show.domain == "b.example");
  CHECK(show.day == "2026-01-31");
  CHECK(show.format == OutputFormat::Json);
  const Arguments send = parse({"report", "tls", "send", "b.example", "--day", "2026-01-31"});
  CHECK(send.command == Command::ReportTlsSend);
  CHECK(send.day == "2026-01-31");
}

TEST_CASE("a wrong command line is EX_USAGE and says what is wrong on standard error") {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{},
                                             {"keys"},
                                             {"banana"},
                                             {"keys", "create"},
                                             {"keys", "rotate", "a.example", "b.example"},
                                             {"keys", "revoke", "a.example"},
                                             {"keys", "dns", "a.example", "--format", "xml"},
                                             {"keys", "create", "a.example", "s1", "extra"},
                                             {"keys", "create", "a.example", "s1", "--algorithm", "dsa"},
                                             {"keys", "create", "a.example", "s1", "--bits", "512"},
                                             {"keys", "create", "a.example", "s1", "--bits", "2049"},
                                             {"keys", "create", "a.example", "s1", "--bits", "x"},
                                             {"queue", "retry"},
                                             {"queue", "retry", "X", "--all"},
                                             {"queue", "list", "--limit", "0"},
                                             {"queue", "list", "--limit", "-1"},
                                             {"explain"},
                                             {"account", "add"},
                                             {"probe", "smtp"},
                                             {"report"},
                                             {"report", "tls"},
                                             {"report", "tls", "show"},
                                             {"account", "add", "shop", "--password", "secret"},
                                             {"--config"}}) {
    CAPTURE(words);
    const ArgumentsExit refusal = refuse(words);
    CHECK(refusal.status == EX_USAGE);
    CHECK(refusal.out.empty());
    CHECK_FALSE(refusal.err.empty());
  }
}

TEST_CASE("help and version are asked for, not wrong") {
  const ArgumentsExit help = refuse({"--help"});
  CHECK(help.status == EX_OK);
  CHECK_THAT(help.out, Catch::Contains("queue") && Catch::Contains("explain"));
  CHECK_THAT(refuse({"keys", "create", "--help"}).out, Catch::Contains("--algorithm") && Catch::Contains("SELECTOR"));
  CHECK_THAT(refuse({"--version"}).out, Catch::StartsWith("waxwing "));
}

}  // namespace
}  // namespace waxwing
