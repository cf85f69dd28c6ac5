#include "relay/config/load_config.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

namespace waxwing {
namespace {

const ConfigSurroundings kSurroundings{"waxwing.toml", "relay.example",
                                       [](const std::string& path) { return path.starts_with("/missing/"); }};

Config read(std::string_view text) {
  const auto config = parse_config(text, kSurroundings);
  for (const auto& mistake : config ? ConfigMistakes() : config.error()) UNSCOPED_INFO(mistake.str());
  REQUIRE(config);
  return *config;
}

ConfigMistakes mistakes_of(std::string_view text) {
  const auto config = parse_config(text, kSurroundings);
  REQUIRE_FALSE(config);
  REQUIRE_FALSE(config.error().empty());
  for (const ConfigMistake& mistake : config.error()) {
    UNSCOPED_INFO(mistake.str());
    CHECK(mistake.file == "waxwing.toml");
    CHECK_FALSE(mistake.problem.empty());
    CHECK_FALSE(mistake.remedy.empty());
  }
  return config.error();
}

// The text makes exactly one mistake, at that line; its sentence holds both phrases.
void check_one(std::string_view text, unsigned line, std::string_view problem, std::string_view remedy) {
  CAPTURE(text);
  const ConfigMistakes mistakes = mistakes_of(text);
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].line == line);
  CHECK(mistakes[0].column > 0);
  CHECK_THAT(mistakes[0].problem, Catch::Contains(std::string(problem)));
  CHECK_THAT(mistakes[0].remedy, Catch::Contains(std::string(remedy)));
}

constexpr std::string_view kExposedListener =
    "[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\nport = 465\ntls = \"implicit\"\n"
    "certificate_file = \"/tls/chain.pem\"\nkey_file = \"/tls/key.pem\"\n";

TEST_CASE("an empty file means the defaults and the system's host name") {
  Config expected;
  expected.hostname = "relay.example";
  expected.tls_report_organization = "relay.example";
  expected.tls_report_contact = "postmaster@relay.example";
  CHECK(read("") == expected);
  CHECK(expected.listeners.size() == 1);
  CHECK(expected.listeners[0].address.str() == "127.0.0.1");
  CHECK(expected.listeners[0].port == 587);
  CHECK(expected.resolver_address.str() == "127.0.0.1");
}

TEST_CASE("a system host name that is no domain name is replaced by localhost") {
  ConfigSurroundings surroundings = kSurroundings;
  surroundings.system_name = "my host";
  const auto config = parse_config("", surroundings);
  REQUIRE(config);
  CHECK(config->hostname == "localhost");
}

TEST_CASE("every option reaches its field") {
  const Config config = read(R"(
hostname = "Relay.Sender.EXAMPLE."
state_directory = "/state"
run_directory = "/run/x"
workers = 3

[limits]
max_message_octets = "1MiB"
max_recipients = 7
max_connections = 8
idle_timeout = "6m"

[dns]
resolver = "[::1]:5353"

[egress]
addresses = ["192.0.2.1", "2001:db8::1"]
source_addresses = ["198.51.100.1", "2001:db8::2"]

[delivery]
smtp_port = 2525
sts_port = 8443
minimum_tls = "authenticated"
allow_non_global_addresses = true
max_connections_per_host = 4
ca_file = "/ca.pem"

[queue]
lifetime = "2d"
retry_delays = ["1m", "30s"]

[signing]
signature_lifetime = "3d"

[preflight]
mode = "warn"

[log]
format = "json"

[[listener]]
name = "outside"
address = "0.0.0.0"
port = 465
tls = "implicit"
certificate_file = "/tls/chain.pem"
key_file = "/tls/key.pem"

[[listener]]
name = "inside"
address = "::1"
bare_line_ends = "fix"
long_lines = "pass"
raw_headers = "reject"
)");
  CHECK(config.hostname == "relay.sender.example");
  CHECK(config.state_directory == "/state");
  CHECK(config.run_directory == "/run/x");
  CHECK(config.workers == 3);
  CHECK(config.max_message_octets == 1U << 20);
  CHECK(config.max_recipients == 7);
  CHECK(config.max_connections == 8);
  CHECK(config.idle_timeout == Seconds(360));
  CHECK(config.resolver_address.str() == "::1");
  CHECK(config.resolver_port == 5353);
  REQUIRE(config.egress_addresses.size() == 2);
  CHECK(config.egress_addresses[1].str() == "2001:db8::1");
  CHECK(config.source_addresses.size() == 2);
  CHECK(config.smtp_port == 2525);
  CHECK(config.sts_port == 8443);
  CHECK(config.minimum_tls == TlsLevel::Authenticated);
  CHECK(config.allow_non_global_addresses);
  CHECK(config.max_connections_per_host == 4);
  CHECK(config.ca_file == "/ca.pem");
  CHECK(config.lifetime == Seconds(2 * 86'400));
  CHECK(config.retry_delays == std::vector<Seconds>{Seconds(60), Seconds(30)});
  CHECK(config.signature_lifetime == Seconds(3 * 86'400));
  CHECK(config.preflight_mode == PreflightMode::Warn);
  CHECK(config.log_format == LogFormat::Json);
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[0].name == "outside");
  CHECK(config.listeners[0].port == 465);
  CHECK(config.listeners[0].tls == ListenerConfig::Tls::Implicit);
  CHECK(config.listeners[0].certificate_file == "/tls/chain.pem");
  CHECK(config.listeners[0].key_file == "/tls/key.pem");
  CHECK(config.listeners[0].bare_line_ends == ListenerConfig::BareLineEnds::Reject);
  CHECK(config.listeners[1].port == 587);
  CHECK(config.listeners[1].bare_line_ends == ListenerConfig::BareLineEnds::Fix);
  CHECK(config.listeners[0].long_lines == ListenerConfig::LongLines::Fix);
  CHECK(config.listeners[1].long_lines == ListenerConfig::LongLines::Pass);
  CHECK(config.listeners[0].raw_headers == ListenerConfig::RawHeaders::Fix);
  CHECK(config.listeners[1].raw_headers == ListenerConfig::RawHeaders::Reject);
}

TEST_CASE("a size may be a whole number of octets") {
  CHECK(read("[limits]\nmax_message_octets = 100000\n").max_message_octets == 100'000);
}

TEST_CASE("a resolver is an address with or without port") {
  CHECK(read("[dns]\nresolver = \"127.0.0.2\"\n").resolver_port == 53);
  CHECK(read("[dns]\nresolver = \"::1\"\n").resolver_address.str() == "::1");
  CHECK(read("[dns]\nresolver = \"[::1]\"\n").resolver_address.str() == "::1");
  CHECK(read("[dns]\nresolver = \"127.0.0.1:5300\"\n").resolver_port == 5300);
  for (const auto* text : {"localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:53x", "[::1",
                           "[::1]x", "[::1]53", "[127.0.0.1:53", "", ":53", "[]"}) {
    check_one(std::string("[dns]\nresolver = \"") + text + "\"\n", 2, "dns.resolver is", "an IP address");
  }
}

TEST_CASE("all mistakes are reported at once, in the order of the file") {
  const ConfigMistakes mistakes = mistakes_of(R"(hostname = "bad host"
workers = "many"
[limits]
max_recipients = 0
max_conections = 5
[queue]
lifetime = "1 week"
retry_delays = ["5m", 10, "2d"]
[[listener]]
name = "x"
address = "192.0.2.1"
)");
  std::vector<unsigned> lines;
  for (const ConfigMistake& mistake : mistakes) lines.push_back(mistake.line);
  CHECK(lines == std::vector<unsigned>{1, 2, 4, 5, 7, 8, 8, 9});
  CHECK(mistakes[3].column == 1);
  CHECK(mistakes[0].column == 12);
  CHECK(mistakes[5].column == 23);
}

TEST_CASE("a mistake is one line with its place, the problem and the remedy") {
  CHECK(
      mistakes_of("[limits]\nmax_recipients = 0\n").at(0).str() ==
      "waxwing.toml:2:18: limits.max_recipients is 0, which is out of range. Write a whole number of recipients, 1 to "
      "10000.");
}

TEST_CASE("a mistake cannot steer the terminal on which it is shown") {
  const std::string text = mistakes_of("hostname = \"\\u001b[2J\\n\\u202e\"\n").at(0).str();
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find("\u202e") == std::string::npos);
}

TEST_CASE("an unknown option is answered with the one that was meant") {
  check_one("hostnmae = \"a.example\"\n", 1, "no option or section \"hostnmae\"", "Did you mean \"hostname\"?");
  check_one("[limits]\nmax_recipient = 5\n", 2, "[limits] has no option \"max_recipient\"",
            "Did you mean \"max_recipients\"?");
  check_one("[qeue]\nlifetime = \"5d\"\n", 1, "no option or section \"qeue\"", "Did you mean \"queue\"?");
  check_one("[limits]\nlifetime = \"5d\"\n", 2, "[limits] has no option \"lifetime\"", "Move it to [queue]");
  check_one("[limits]\nbanana = 1\n", 2, "[limits] has no option \"banana\"", "Remove it");
  check_one("[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\nprot = 25\n", 4,
            "[[listener]] has no option \"prot\"", "Did you mean \"port\"?");
  check_one("[queue.more]\nx = 1\n", 1, "[queue] has no option \"more\"", "Remove it");
}

TEST_CASE("a value of the wrong type names what it is and what to write") {
  check_one("workers = \"3\"\n", 1, "workers is a string", "whole number of threads, 0 to 256");
  check_one("workers = 3.5\n", 1, "a number with a fraction", "whole number");
  check_one("workers = true\n", 1, "is true or false", "whole number");
  check_one("workers = 2026-01-31\n", 1, "a date or time", "whole number");
  check_one("hostname = 5\n", 1, "hostname is a whole number", "domain name");
  check_one("[queue]\nlifetime = 5\n", 2, "queue.lifetime is a whole number", "a string such as \"5d\"");
  check_one("[queue]\nretry_delays = \"5m\"\n", 2, "is a string", "an array of 1 to 100 strings");
  check_one("[queue]\nretry_delays = []\n", 2, "holds 0 values", "an array of 1 to 100 strings");
  check_one("[egress]\naddresses = [[\"192.0.2.1\"]]\n", 2, "is an array", "IPv4 or IPv6");
  check_one("[egress]\naddresses = { a = 1 }\n", 2, "is a table", "IPv4 or IPv6");
  check_one("[delivery]\nallow_non_global_addresses = 1\n", 2, "is a whole number", "true or false");
  check_one("[limits]\nmax_message_octets = 1.5\n", 2, "a number with a fraction", "50MiB");
  check_one("queue = 5\n", 1, "queue is a section", "[queue]");
  check_one("[listener]\nname = \"a\"\n", 1, "listener is not a list", "[[listener]]");
  check_one("listener = []\n", 1, "listener is not a list", "[[listener]]");
  check_one("listener = [1]\n", 1, "listener is not a list", "[[listener]]");
}

TEST_CASE("a value out of its range or grammar is refused") {
  check_one("workers = -1\n", 1, "workers is -1", "0 to 256");
  check_one("workers = 257\n", 1, "workers is 257", "0 to 256");
  check_one("state_directory = \"state\"\n", 1, "not an absolute path", "absolute path");
  check_one("state_directory = \"\"\n", 1, "not an absolute path", "absolute path");
  check_one("state_directory = \"/a\\u0000b\"\n", 1, "not an absolute path", "absolute path");
  check_one("hostname = \"192.0.2.1\"\n", 1, "hostname is \"192.0.2.1\"", "domain name");
  check_one("[limits]\nmax_message_octets = \"50MB\"\n", 2, "not a size", "KiB, MiB");
  check_one("[limits]\nmax_message_octets = \"2GiB\"\n", 2, "out of range", "\"64KiB\" to \"1GiB\"");
  check_one("[limits]\nmax_message_octets = -5\n", 2, "is -5, which is out of range", "\"64KiB\" to \"1GiB\"");
  check_one("[limits]\nidle_timeout = \"5\"\n", 2, "not a length of time", "\"1s\" to \"1h\"");
  check_one("[limits]\nidle_timeout = \"2h\"\n", 2, "out of range", "\"1s\" to \"1h\"");
  check_one("[egress]\naddresses = [\"relay.example\"]\n", 2, "not an IP address", "IPv4 or IPv6");
  check_one("[egress]\nsource_addresses = [\"192.0.2.1\", \"192.0.2.2\"]\n", 2, "same family", "at most one IPv4");
  check_one("[delivery]\nminimum_tls = \"plaintext\"\n", 2, "is \"plaintext\"",
            "one of \"encrypted\", \"verified\", \"authenticated\"");
  check_one("[delivery]\nminimum_tls = \"authentic\"\n", 2, "is \"authentic\"", "one of");
  check_one("[delivery]\nminimum_tls = \"verfied\"\n", 2, "did you mean \"verified\"?", "one of");
  check_one("[[listener]]\nname = \"a b\"\naddress = \"127.0.0.1\"\n", 2, "listener.name is \"a b\"",
            "letters, digits");
  check_one("[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\nport = 0\n", 4, "listener.port is 0", "1 to 65535");
  check_one("run_directory = \"/" + std::string(100, 'r') + "\"\n", 1, "too long for the path of a socket",
            "94 octets");
}

TEST_CASE("a listener without TLS is refused on any address but loopback") {
  check_one("[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\n", 1, "has no TLS although 192.0.2.1", "127.0.0.1");
  check_one("[[listener]]\nname = \"a\"\naddress = \"0.0.0.0\"\ntls = \"none\"\n", 4, "has no TLS although 0.0.0.0",
            "starttls");
  check_one("[[listener]]\nname = \"a\"\naddress = \"::\"\n", 1, "has no TLS although ::", "starttls");
  CHECK(read("[[listener]]\nname = \"a\"\naddress = \"127.8.8.8\"\n").listeners.size() == 1);
}

TEST_CASE("fixing bare line ends is refused on any address but loopback, and behind proxies") {
  check_one(std::string(kExposedListener) + "bare_line_ends = \"fix\"\n", 8, "strangers smuggle", "\"reject\"");
  check_one(
      "[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\nproxies = [\"127.0.0.1\"]\nbare_line_ends = \"fix\"\n", 5,
      "from elsewhere", "\"reject\"");
  CHECK(read(kExposedListener).listeners.size() == 1);
}

TEST_CASE("a listener with TLS needs a certificate and a key that exist, one without has neither") {
  check_one("[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntls = \"starttls\"\nkey_file = \"/k\"\n", 4,
            "has TLS but no certificate_file", "Add certificate_file");
  check_one("[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntls = \"starttls\"\ncertificate_file = \"/k\"\n", 4,
            "has TLS but no key_file", "Add key_file");
  check_one(
      "[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntls = \"starttls\"\ncertificate_file = \"/c\"\n"
      "key_file = \"/missing/k\"\n",
      6, "listener.key_file is \"/missing/k\", and there is no such file", "Create it");
  check_one("[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\nkey_file = \"/k\"\n", 4, "has a key_file but no TLS",
            "remove this line");
}

TEST_CASE("a value that was not understood leads to no second mistake") {
  check_one("[[listener]]\nname = \"a\"\naddress = \"192.0.2.1\"\ntls = \"startls\"\ncertificate_file = \"/c\"\n", 4,
            "did you mean \"starttls\"?", "one of");
  check_one("[[listener]]\nname = \"a\"\naddress = \"192.0.2.300\"\nbare_line_ends = \"fix\"\n", 3, "not an IP address",
            "IPv4");
  check_one("[queue]\nlifetime = \"30d\"\n[signing]\nsignature_lifetime = \"40 days\"\n", 4, "not a length of time",
            "d");
  check_one("[[listener]]\naddress = \"127.0.0.1\"\n", 1, "has no name", "Add a line such as name = \"local\"");
  check_one("[[listener]]\nname = \"a\"\n", 1, "has no address", "Add a line such as address = \"127.0.0.1\"");
}

TEST_CASE("listeners with the same name or the same endpoint are refused") {
  const std::string first = "[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\n";
  check_one(first + "[[listener]]\nname = \"a\"\naddress = \"127.0.0.2\"\n", 5,
            "the listener of line 2 is called \"a\" too", "name of its own");
  check_one(first + "[[listener]]\nname = \"b\"\naddress = \"::ffff:127.0.0.1\"\nport = 587\n", 6,
            "the listener of line 3 has address 127.0.0.1 and port 587 too", "another address or port");
  CHECK(read(first + "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1\"\nport = 588\n").listeners.size() == 2);
}

TEST_CASE("signatures must outlive the queue") {
  check_one("[queue]\nlifetime = \"14d\"\n", 2, "not longer than queue.lifetime", "longer");
  check_one("[signing]\nsignature_lifetime = \"5d\"\n", 2, "is 5d, not longer than queue.lifetime, which is 5d",
            "longer");
}

TEST_CASE("a resolver that is not on this host is refused") {
  check_one("[dns]\nresolver = \"192.0.2.53\"\n", 2, "not a loopback address", "unbound");
}

TEST_CASE("a resolver that is asked over TLS must have something to prove, and a port") {
  const std::string tls = "[dns]\nmode = \"tls\"\n";
  const std::string pin = "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"";
  const Config named = read(tls + "resolver = \"192.0.2.53:853\"\ntls_name = \"DNS.example\"\n");
  CHECK(named.dns_mode == DnsMode::Tls);
  CHECK(named.resolver_tls_name == "dns.example");
  const Config pinned = read(tls + "resolver = \"[2001:db8::53]:853\"\ntls_pins = [" + pin + "]\n");
  CHECK(pinned.resolver_tls_pins.size() == 1);
  check_one(tls + "resolver = \"192.0.2.53:853\"\n", 2, "what the resolver must prove", "tls_name");
  check_one(tls + "tls_name = \"dns.example\"\n", 2, "port 53", "ADDRESS:853");
  check_one(tls + "resolver = \"192.0.2.53\"\ntls_name = \"dns.example\"\n", 3, "port 53", "ADDRESS:853");
  for (const std::string bad : {"\"AAAA\"", "\"not base64\"", "\"\""}) {
    check_one(tls + "resolver = \"192.0.2.53:853\"\ntls_pins = [" + bad + "]\n", 4, "dns.tls_pins holds", "32 octets");
  }
}

TEST_CASE("a relay that recurses needs trust anchors") {
  const Config config = read("[dns]\nmode = \"recursing\"\nroot_servers = [\"192.0.2.1\"]\n");
  CHECK(config.dns_mode == DnsMode::Recursing);
  CHECK(config.root_servers.size() == 1);
  check_one("[dns]\nmode = \"recursing\"\ntrust_anchor_file = \"/missing/root.key\"\n", 3, "there is no such file",
            "dns-root-data");
}

TEST_CASE("missing authorities are reported, also those of the default") {
  check_one("[delivery]\nca_file = \"/missing/ca.pem\"\n", 2, "there is no such file", "ca-certificates");
  ConfigSurroundings surroundings = kSurroundings;
  surroundings.file_is_missing = [](const std::string&) { return true; };
  const auto config = parse_config("", surroundings);
  REQUIRE_FALSE(config);
  CHECK_THAT(config.error().at(0).str(), Catch::StartsWith("waxwing.toml: delivery.ca_file is "));
}

TEST_CASE("text that is not TOML is reported with its line") {
  CHECK(mistakes_of("workers = 3\nhostname = relay.example\n").at(0).line == 2);
  CHECK(mistakes_of("workers = 1\nworkers = 2\n").at(0).line == 2);
  CHECK(mistakes_of("\xff\xfe").at(0).line == 1);
  CHECK(mistakes_of("[queue]\nretry_delays = [\"5m\",\nlifetime = \"5d\"\n").size() == 1);
  CHECK(mistakes_of("hostname = \"\"\"a\n\nworkers = 3\n").size() == 1);
}

TEST_CASE("mistakes beyond a line that is not TOML are found too") {
  const ConfigMistakes mistakes =
      mistakes_of("hostname = relay\nworkers = \"x\"\nstate_directory /var\n[limits]\nmax_recipients = 0\n");
  std::vector<unsigned> lines;
  for (const ConfigMistake& mistake : mistakes) lines.push_back(mistake.line);
  CHECK(lines == std::vector<unsigned>{1, 2, 3, 5});
}

TEST_CASE("hostile files are bounded") {
  CHECK(mistakes_of(std::string(kMaxConfigOctets + 1, '#')).at(0).problem == "it is larger than 1 MiB");
  CHECK(read(std::string(kMaxConfigOctets, '#')).workers == 0);
  CHECK(mistakes_of("workers = " + std::string(100'000, '[')).size() == 1);
  std::string many_unknown;
  for (int i = 0; i < 1'000; ++i) many_unknown += "unknown" + std::to_string(i) + " = 1\n";
  CHECK(mistakes_of(many_unknown).size() == kMaxConfigMistakes);
  std::string many_errors;
  for (int i = 0; i < 1'000; ++i) many_errors += "unknown" + std::to_string(i) + "\n";
  CHECK(mistakes_of(many_errors).size() <= kMaxConfigMistakes);
  std::string listeners;
  for (int i = 0; i < 65; ++i) listeners += "[[listener]]\n";
  CHECK_THAT(mistakes_of(listeners).at(0).problem, Catch::Contains("65 listeners"));
}

class TemporaryFolder {
 public:
  TemporaryFolder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~TemporaryFolder() {
    ::unlink(file().c_str());
    ::rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file() const { return path_ + "/waxwing.toml"; }
  [[nodiscard]] std::string path() const { return path_; }
  void write(std::string_view text) const { std::ofstream(file()) << text; }

 private:
  std::string path_ = "/tmp/waxwing_config_test_XXXXXX";
};

TEST_CASE("a file is loaded from disk, and files that it names are looked for there") {
  const TemporaryFolder folder;
  folder.write("hostname = \"a.example\"\n[delivery]\nca_file = \"" + folder.file() + "\"\n");
  const auto config = load_config(folder.file());
  REQUIRE(config);
  CHECK(config->hostname == "a.example");
  folder.write("[delivery]\nca_file = \"" + folder.path() + "/none\"\n");
  REQUIRE_FALSE(load_config(folder.file()));
  folder.write("[delivery]\nca_file = \"" + folder.path() + "\"\n");
  REQUIRE_FALSE(load_config(folder.file()));
}

TEST_CASE("a file that is not there or cannot be read is named with the remedy") {
  const TemporaryFolder folder;
  const auto missing = load_config(folder.file());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().at(0).str() ==
        folder.file() + ": there is no such file. Create it, or name another with --config.");
  const auto directory = load_config(folder.path());
  REQUIRE_FALSE(directory);
  CHECK_THAT(directory.error().at(0).str(), Catch::Contains("cannot be read"));
}

TEST_CASE("rules of preflight are read with the mode of all mail") {
  const Config config = read(
      "[preflight]\nmode = \"hold\"\n[[preflight.rule]]\ndomain = \"News.Example.ORG\"\nmode = \"warn\"\n"
      "[[preflight.rule]]\ntenant = \"shop@front\"\nmode = \"enforce\"\n");
  CHECK(config.preflight_mode == PreflightMode::Hold);
  REQUIRE(config.preflight_rules.size() == 2);
  CHECK(config.preflight_rules[0] == PreflightRule{"", "news.example.org", PreflightMode::Warn});
  CHECK(config.preflight_rules[1] == PreflightRule{"shop@front", "", PreflightMode::Enforce});
}

TEST_CASE("a rule of preflight that says too little, or the same as another, is a mistake") {
  check_one("[[preflight.rule]]\ntenant = \"shop\"\n", 1, "this rule has no mode", "mode = \"hold\"");
  check_one("[[preflight.rule]]\nmode = \"hold\"\n", 1, "neither tenant nor domain", "preflight.mode");
  check_one("[preflight]\nrule = 1\n", 2, "preflight.rule is not a list", "[[preflight.rule]]");
  check_one("[preflight]\nrules = 1\n", 2, "no option \"rules\"", "\"rule\"");
  check_one("[[preflight.rule]]\ntenant = \"a b\"\nmode = \"hold\"\n", 2, "preflight.rule.tenant is \"a b\"", "Write");
  check_one("[[preflight.rule]]\ndomain = \"a.example\"\nmode = \"drop\"\n", 3, "is \"drop\"", "\"hold\"");
  check_one("[\"preflight.rule\"]\ntenant = \"shop\"\n", 1, "no option or section \"preflight.rule\"", "");
  check_one(
      "[[preflight.rule]]\ntenant = \"a\"\nmode = \"hold\"\n[[preflight.rule]]\ntenant = \"a\"\nmode = \"warn\"\n", 4,
      "the preflight.rule of line 1 is for the same tenant and domain", "Remove");
}

TEST_CASE("rules and exceptions for TLS are read") {
  const Config config = read(
      "[tls]\non_loss = \"defer\"\nremember_for = \"90d\"\n[[tls.rule]]\ntenant = \"shop\"\n[[tls.rule]]\n"
      "domain = \"Bank.example\"\nminimum = \"authenticated\"\n[[tls.exception]]\ndomain = \"a.example\"\n"
      "reason = \"their key roll\"\nexpires = 2026-12-31\nlevel = \"verified\"\n");
  CHECK(config.tls_on_loss == TlsLoss::Defer);
  CHECK(config.tls_remember_for == Seconds(90 * 86'400));
  REQUIRE(config.tls_rules.size() == 2);
  CHECK(config.tls_rules[0] == TlsRule{"shop", "", TlsLevel::Verified});
  CHECK(config.tls_rules[1] == TlsRule{"", "bank.example", TlsLevel::Authenticated});
  REQUIRE(config.tls_exceptions.size() == 1);
  CHECK(config.tls_exceptions[0] == TlsExceptionRule{"a.example", TlsLevel::Verified, "their key roll",
                                                     std::chrono::sys_days(std::chrono::year(2026) / 12 / 31)});
}

TEST_CASE("keys and signer are read, with the tenants of a domain") {
  const Config config = read(
      "[keys]\ndirectory = \"/keys\"\nsealing = \"passphrase\"\nsealing_file = \"/secret\"\n[signer]\n"
      "socket = \"/run/x/socket\"\nrelay_user = \"60101\"\nmax_signatures = 60\n[[signer.rule]]\n"
      "domain = \"Bank.example\"\ntenant = \"bank\"\n[[signer.rule]]\ndomain = \"bank.example\"\ntenant = "
      "\"agency\"\n");
  CHECK(config.keys_directory == "/keys");
  CHECK(config.key_sealing == KeySealingMode::Passphrase);
  CHECK(config.sealing_file == "/secret");
  CHECK(config.signer_socket == "/run/x/socket");
  CHECK(config.relay_user == "60101");
  CHECK(config.max_signatures == 60);
  CHECK(config.signer_rules == std::vector<SignerRule>{{"bank.example", "bank"}, {"bank.example", "agency"}});
}

TEST_CASE("a rule of the signer without domain or tenant, and a path that no socket can have, are mistakes") {
  check_one("[[signer.rule]]\ntenant = \"bank\"\n", 1, "this rule has no domain", "domain = ");
  check_one("[[signer.rule]]\ndomain = \"bank.example\"\n", 1, "this rule has no tenant", "tenant = ");
  check_one("[signer]\nsocket = \"/" + std::string(120, 'x') + "\"\n", 2, "signer.socket is 121 octets", "at most 107");
  check_one("[keys]\nsealing = \"yes\"\n", 2, "keys.sealing is \"yes\"", "\"passphrase\"");
}

TEST_CASE("an exception without a reason or an end, or one that gives up TLS, is a mistake") {
  const std::string good_lines = "[[tls.exception]]\ndomain = \"a.example\"\nreason = \"x\"\nexpires = 2026-12-31\n";
  check_one("[[tls.exception]]\ndomain = \"a.example\"\nexpires = 2026-12-31\n", 1, "this exception has no reason",
            "reason = ");
  check_one("[[tls.exception]]\ndomain = \"a.example\"\nreason = \"x\"\n", 1, "this exception has no expires",
            "2026-12-31");
  check_one("[[tls.exception]]\ndomain = \"a.example\"\nreason = \"x\"\nexpires = \"2026-12-31\"\n", 4, "is a string",
            "a date such as");
  check_one("[[tls.exception]]\ndomain = \"a.example\"\nreason = \"a\\nb\"\nexpires = 2026-12-31\n", 3,
            "tls.exception.reason is", "on one line");
  check_one(good_lines + "level = \"plaintext\"\n", 5, "tls.exception.level is \"plaintext\"", "\"encrypted\"");
  check_one(good_lines + good_lines, 5, "the tls.exception of line 1 is for the same domain", "Remove");
  check_one("[[tls.rule]]\nminimum = \"verified\"\n", 1, "neither tenant nor domain", "delivery.minimum_tls");
}

TEST_CASE("a forwarding listener has peers and needs a domain of the relay") {
  const std::string listener =
      "[[listener]]\nname = \"in\"\naddress = \"127.0.0.1\"\npurpose = \"forwarding\"\npeers = [\"127.0.0.1\", "
      "\"::1\"]\n";
  const Config config = read(listener + "[forwarding]\ndomain = \"Relay.Example.org\"\n");
  REQUIRE(config.listeners.size() == 1);
  CHECK(config.listeners[0].purpose == ListenerConfig::Purpose::Forwarding);
  CHECK(config.listeners[0].peers.size() == 2);
  CHECK(config.forwarding_domain == "relay.example.org");
  check_one(listener, 4, "forwarding.domain is not set", "[forwarding]");
  check_one("[[listener]]\nname = \"a\"\naddress = \"127.0.0.1\"\npeers = [\"127.0.0.1\"]\n", 4,
            "has peers although its purpose is not forwarding", "must log in");
}

}  // namespace
}  // namespace waxwing
