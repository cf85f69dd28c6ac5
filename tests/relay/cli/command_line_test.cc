#include "relay/cli/command_line.h"

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace waxwing {
namespace {

using Json = nlohmann::json;

struct Answer {
  int status;
  std::string out;
  std::string err;
};

// A relay that does not run: a configuration with empty folders of its own.
class Installation {
 public:
  Installation() {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
    std::filesystem::create_directory(path_ + "/state");
    std::filesystem::permissions(path_ + "/state", std::filesystem::perms::owner_all);
    std::filesystem::create_directory(path_ + "/run");
    configure("");
  }
  ~Installation() { std::filesystem::remove_all(path_); }

  void configure(const std::string& more) const {
    std::ofstream file(config());
    file << "hostname = \"relay.example\"\nstate_directory = \"" << path_ << "/state\"\nrun_directory = \"" << path_
         << "/run\"\n[delivery]\nca_file = \"" << config() << "\"\n"
         << more;
  }
  [[nodiscard]] std::string config() const { return path_ + "/waxwing.toml"; }
  [[nodiscard]] std::string state() const { return path_ + "/state"; }

  [[nodiscard]] Answer run(std::vector<std::string> words, const std::string& input = "") const {
    words.insert(words.begin(), {"--config", config()});
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const int status = run_command_line(words, {in, out, err});
    return {status, out.str(), err.str()};
  }

 private:
  std::string path_ = "/tmp/waxwing_cli_test_XXXXXX";
};

std::vector<Json> objects(const std::string& text) {
  std::vector<Json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  return all;
}

TEST_CASE("keys are made in the state directory, for its owner alone, and listed again") {
  const Installation relay;
  const Answer created = relay.run({"keys", "create", "sender.example", "s1", "--bits", "1024", "--json"});
  INFO(created.err);
  REQUIRE(created.status == EX_OK);
  CHECK(objects(created.out).size() == 2);
  CHECK(created.out.find("PRIVATE KEY") == std::string::npos);
  struct stat status {};
  REQUIRE(::stat((relay.state() + "/keys/sender.example/s1.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  CHECK(objects(relay.run({"keys", "dns", "sender.example", "--json"}).out) == objects(created.out));
  CHECK(objects(relay.run({"keys", "list", "--json"}).out).size() == 2);
  const Answer again = relay.run({"keys", "create", "sender.example", "s1", "--bits", "1024"});
  CHECK(again.status == EX_CANTCREAT);
  CHECK(again.out.empty());
  CHECK_THAT(again.err, Catch::StartsWith("waxwing: sender.example has a key of selector s1 already"));
}

TEST_CASE("keys that there are not are EX_NOINPUT, names that there cannot be are EX_DATAERR") {
  const Installation relay;
  CHECK(relay.run({"keys", "dns", "none.example"}).status == EX_NOINPUT);
  CHECK(relay.run({"keys", "create", "bad domain", "s1"}).status == EX_DATAERR);
  CHECK(relay.run({"keys", "list"}).status == EX_OK);
}

TEST_CASE("accounts are added, listed and changed while no relay runs") {
  const Installation relay;
  const Answer added =
      relay.run({"account", "add", "shop", "--sender", "a.example", "--sender", "*.b.example"}, "secret\n");
  INFO(added.err);
  REQUIRE(added.status == EX_OK);
  CHECK(
      objects(relay.run({"account", "list", "--json"}).out) ==
      std::vector<Json>{
          {{"name", "shop"}, {"tenant", "shop"}, {"allowed_senders", {"a.example", "*.b.example"}}, {"scram", true}}});
  CHECK(relay.run({"account", "add", "shop"}, "secret\n").status == EX_CANTCREAT);
  CHECK(relay.run({"account", "passwd", "shop"}, "other\n").status == EX_OK);
  CHECK(relay.run({"account", "passwd", "nobody"}, "other\n").status == EX_NOINPUT);
  CHECK(relay.run({"account", "passwd", "shop"}, "").status == EX_DATAERR);
  CHECK(relay.run({"account", "add", "x", "--password-file", relay.state() + "/none"}).status == EX_NOINPUT);
}

TEST_CASE("an empty queue can be asked about while no relay runs") {
  const Installation relay;
  const Answer listed = relay.run({"queue", "list", "--json"});
  INFO(listed.err);
  CHECK(listed.status == EX_OK);
  CHECK(listed.out.empty());
  CHECK(relay.run({"queue", "list"}).out == "Nothing waits.\n");
  CHECK(relay.run({"queue", "ids"}).status == EX_OK);
  CHECK(relay.run({"queue", "show", "0000000000000"}).status == EX_NOINPUT);
  CHECK(relay.run({"queue", "show", "not an id"}).status == EX_DATAERR);
  CHECK(relay.run({"queue", "retry", "--all"}).status == EX_OK);
  CHECK(relay.run({"queue", "list", "--domain", "not a domain"}).status == EX_DATAERR);
}

TEST_CASE("a missing state directory is named with the remedy") {
  const Installation relay;
  std::filesystem::remove_all(relay.state());
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"keys", "list"}, {"queue", "list"}, {"account", "list"}}) {
    const Answer answer = relay.run(words);
    CHECK(answer.status == EX_NOINPUT);
    CHECK_THAT(answer.err, Catch::Contains(relay.state()) && Catch::Contains("install -d"));
  }
}

TEST_CASE("a configuration in order is said to be so") {
  const Installation relay;
  const Answer checked = relay.run({"check", "config"});
  CHECK(checked.status == EX_OK);
  CHECK_THAT(checked.out, Catch::StartsWith(relay.config() + " is in order\n"));
  CHECK(objects(relay.run({"check", "config", "--json"}).out).at(0).at("in_order") == true);
}

TEST_CASE("a configuration with mistakes is EX_CONFIG with all of them, whatever the command") {
  const Installation relay;
  relay.configure("smtp_port = 0\n[queue]\nlivetime = \"5d\"\n");
  const Answer checked = relay.run({"check", "config"});
  CHECK(checked.status == EX_CONFIG);
  CHECK(checked.out.empty());
  CHECK(std::ranges::count(checked.err, '\n') == 2);
  CHECK_THAT(checked.err,
             Catch::Contains(":6:13: delivery.smtp_port is 0") && Catch::Contains("Did you mean \"lifetime\"?"));
  CHECK(relay.run({"queue", "list"}).status == EX_CONFIG);
  const Answer as_json = relay.run({"check", "config", "--json"});
  CHECK(as_json.status == EX_CONFIG);
  CHECK(objects(as_json.out).size() == 2);
  std::filesystem::remove(relay.config());
  CHECK(relay.run({"keys", "list"}).status == EX_CONFIG);
}

TEST_CASE("options are explained without a configuration") {
  const Installation relay;
  std::filesystem::remove(relay.config());
  CHECK(relay.run({"config", "explain", "queue.lifetime"}).status == EX_OK);
  CHECK(relay.run({"config", "explain", "queue.livetime"}).status == EX_NOINPUT);
}

TEST_CASE("something that is not an address cannot be explained") {
  const Installation relay;
  const Answer answer = relay.run({"explain", "no \x1b address"});
  CHECK(answer.status == EX_DATAERR);
  CHECK(answer.err.find('\x1b') == std::string::npos);
}

TEST_CASE("a wrong command line is EX_USAGE and does nothing") {
  const Installation relay;
  CHECK(relay.run({"banana"}).status == EX_USAGE);
  CHECK(relay.run({"queue", "drop"}).status == EX_USAGE);
  CHECK(relay.run({"queue", "release"}).status == EX_USAGE);
  CHECK(relay.run({"queue", "hold", "X"}).status == EX_USAGE);
  CHECK(relay.run({"queue", "release", "--domain", "far.example"}).status == EX_USAGE);
}

TEST_CASE("an answer that cannot be written is EX_IOERR") {
  const Installation relay;
  std::istringstream in;
  std::ofstream full("/dev/full");
  std::ostringstream err;
  CHECK(run_command_line({"--config", relay.config(), "check", "config"}, {in, full, err}) == EX_IOERR);
  CHECK_THAT(err.str(), Catch::Contains("could not be written"));
}

}  // namespace
}  // namespace waxwing
