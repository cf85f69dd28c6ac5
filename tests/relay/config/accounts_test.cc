#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "relay/config/load_config.h"

namespace waxwing {
namespace {

const ConfigSurroundings kSurroundings{"waxwing.toml", "relay.example", [](const std::string&) { return false; }};

Config good(const std::string& text) {
  const auto config = parse_config(text, kSurroundings);
  for (const auto& mistake : config ? ConfigMistakes() : config.error()) UNSCOPED_INFO(mistake.str());
  REQUIRE(config);
  return *config;
}

void check_mistake(const std::string& text, const std::string& part) {
  CAPTURE(text);
  const auto config = parse_config(text, kSurroundings);
  REQUIRE_FALSE(config);
  CHECK(std::ranges::any_of(
      config.error(), [&](const ConfigMistake& mistake) { return mistake.str().find(part) != std::string::npos; }));
}

TEST_CASE("accounts and tenants stand in the configuration with their limits") {
  const Config config = good(
      "[[account]]\nname = \"shop\"\ntenant = \"customer\"\npassword_hash = \"$y$j9T$x\"\n"
      "senders = [\"example.org\", \"*.example.org\", \"a@example.net\"]\nuid = 33\nmessages_per_hour = 10\n"
      "octets_per_day = \"1GiB\"\nover_limit = \"hold\"\ncertificates = [\"app.example.org\"]\n[[account]]\nname = "
      "\"other\"\n"
      "[[tenant]]\nname = \"customer\"\nconnections = 5\n");
  REQUIRE(config.accounts.size() == 2);
  CHECK(config.accounts[0].senders.size() == 3);
  CHECK(config.accounts[0].uid == 33);
  CHECK(config.accounts[0].certificates == std::vector<std::string>{"app.example.org"});
  CHECK(config.accounts[0].messages_per_hour == 10);
  CHECK(config.accounts[0].octets_per_day == 1ULL << 30);
  CHECK(config.accounts[0].over_limit == LimitsConfig::OverLimit::Hold);
  CHECK(config.accounts[1].uid == AccountConfig::kNoUid);
  REQUIRE(config.tenants.size() == 1);
  CHECK(config.tenants[0].connections == 5);
}

TEST_CASE("accounts that cannot be meant are mistakes") {
  check_mistake("[[account]]\nuid = 1\n", "this account has no name");
  check_mistake("[[account]]\nname = \"a b\"\n", "account.name is");
  check_mistake("[[account]]\nname = \"a\"\npassword_hash = \"secret\"\n", "account.password_hash is no such hash");
  check_mistake("[[account]]\nname = \"a\"\nsenders = [\"*\"]\n", "account.senders holds");
  check_mistake("[[account]]\nname = \"a\"\ncertificates = [\"*.example.org\"]\n", "account.certificates holds");
  check_mistake("[[account]]\nname = \"a\"\n[[account]]\nname = \"a\"\n", "has this name too");
  check_mistake("[[account]]\nname = \"a\"\nuid = 1\n[[account]]\nname = \"b\"\nuid = 1\n", "has this uid too");
  check_mistake("[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"a\"\n", "has this name too");
  check_mistake("[[account]]\nname = \"a\"\ncolor = 1\n", "[[account]] has no option \"color\"");
}

const std::string kScramKeys =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST_CASE("SCRAM keys stand beside the hash, and where SCRAM is always offered they must") {
  const std::string account = "[[account]]\nname = \"a\"\npassword_hash = \"$y$j9T$x\"\n";
  const std::string keys = "scram_keys = \"" + kScramKeys + "\"\n";
  const std::string listener = "[[listener]]\nname = \"x\"\naddress = \"127.0.0.1\"\n";
  CHECK(good(account + keys).accounts[0].scram_keys == kScramKeys);
  CHECK(good(account + listener).listeners[0].scram == ListenerConfig::Scram::Ready);
  CHECK(good(account + keys + listener + "scram = \"on\"\n").listeners[0].scram == ListenerConfig::Scram::On);
  CHECK(good("[[account]]\nname = \"a\"\nuid = 1\n" + listener + "scram = \"on\"\n").accounts[0].uid == 1);
  check_mistake(account + listener + "scram = \"on\"\n",
                "account \"a\" has no scram_keys, and listener \"x\" always offers SCRAM");
  check_mistake("[[account]]\nname = \"a\"\nscram_keys = \"secret\"\n", "account.scram_keys holds no such keys");
  check_mistake(listener + "protocol = \"http\"\nscram = \"off\"\n", "where scram has no meaning");
}

TEST_CASE("SCRAM keys are kept while some listener would offer SCRAM") {
  const std::string listener = "[[listener]]\nname = \"x\"\naddress = \"127.0.0.1\"\n";
  CHECK(keeps_scram_keys(good("")));
  CHECK(keeps_scram_keys(good(listener)));
  CHECK(keeps_scram_keys(good(listener + "scram = \"on\"\n")));
  CHECK_FALSE(keeps_scram_keys(good(listener + "scram = \"off\"\n")));
  CHECK_FALSE(keeps_scram_keys(good(listener + "protocol = \"http\"\n")));
}

TEST_CASE("a listener has a socket or an address, and what goes with it") {
  const Config config =
      good("[[listener]]\nname = \"users\"\nsocket = \"/run/waxwing/submission\"\nprotocol = \"lmtp\"\n");
  CHECK(config.listeners[0].socket == "/run/waxwing/submission");
  CHECK(config.listeners[0].protocol == ListenerConfig::Protocol::Lmtp);
  const std::string listener = "[[listener]]\nname = \"x\"\n";
  check_mistake(listener, "this listener has no address");
  check_mistake(listener + "socket = \"/run/x\"\naddress = \"127.0.0.1\"\n", "where address has no meaning");
  check_mistake(listener + "socket = \"/run/x\"\nproxies = [\"127.0.0.1\"]\n", "where proxies has no meaning");
  check_mistake(listener + "socket = \"/" + std::string(120, 'x') + "\"\n", "too long a path");
  check_mistake(listener + "address = \"127.0.0.1\"\nprotocol = \"http\"\nxclient_peers = [\"127.0.0.1\"]\n",
                "where xclient_peers has no meaning");
  check_mistake(listener + "address = \"127.0.0.1\"\nprotocol = \"http\"\ntls = \"starttls\"\n", "has no STARTTLS");
  CHECK(good(listener + "address = \"127.0.0.1\"\nprotocol = \"http\"\nproxies = [\"127.0.0.1\"]\n")
            .listeners[0]
            .proxies.size() == 1);
  check_mistake(listener + "address = \"127.0.0.1\"\nclient_ca_file = \"/ca.pem\"\n", "no client logs in with TLS");
}

}  // namespace
}  // namespace waxwing
