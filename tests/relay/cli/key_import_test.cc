#include "relay/cli/key_import.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "keys/key_directory.h"
#include "relay/cli/key_commands.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;
using Program = KeySource::Program;

std::vector<nlohmann::json> objects(const Output& output) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(output.text());
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

/// A store, and keys of another program beside it.
class KeyImportTest {
 public:
  KeyImportTest() {
    std::string pattern = (fs::temp_directory_path() / "waxwing-import-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    config_.keys_directory = folder_ + "/sealed";
    store_ = std::make_unique<KeyDirectory>(folder_ + "/keys");
    fs::create_directory(folder_ + "/foreign");
  }
  ~KeyImportTest() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  KeyImportTest(const KeyImportTest&) = delete;
  KeyImportTest& operator=(const KeyImportTest&) = delete;

 protected:
  std::string write(const std::string& name, std::string_view content, mode_t mode = 0600) {
    const std::string path = folder_ + "/foreign/" + name;
    std::ofstream(path, std::ios::trunc) << content;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
  std::string write_key(const std::string& name) {
    return write(name, SigningKey::generate(DkimKeyType::Ed25519).value().to_pem().reveal());
  }
  KeySource source(Program program, const std::string& path) {
    KeySource made;
    made.program = program;
    made.path = path;
    return made;
  }
  Result<std::vector<nlohmann::json>> import(const KeySource& from, Effect effect = Effect::Done) {
    auto keys = read_key_source(from);
    if (!keys) return tl::unexpected(keys.error());
    Output output(OutputFormat::Json);
    auto imported = import_keys(*store_, *keys, effect, output);
    if (!imported) return tl::unexpected(imported.error());
    return objects(output);
  }
  std::size_t stored() { return store_->load_all().value().size(); }

  std::string folder_;
  Config config_;
  std::unique_ptr<KeyDirectory> store_;
};

using T = KeyImportTest;

TEST_CASE_METHOD(T, "a key is imported under its own name, once", "[key_import]") {
  KeySource pem = source(Program::Pem, write_key("a.pem"));
  pem.domain = "Sender.example";
  pem.selector = "S1";
  const auto shown = import(pem, Effect::OnlyShown).value();
  CHECK(shown.at(0).at("state") == "would_import");
  CHECK(stored() == 0);
  const auto done = import(pem).value();
  CHECK(done.at(0).at("state") == "imported");
  CHECK(done.at(0).at("domain") == "sender.example");
  CHECK(done.at(0).at("selector") == "s1");
  CHECK(stored() == 1);
  CHECK(import(pem).value().at(0).at("state") == "already_there");
  CHECK(stored() == 1);
}

TEST_CASE_METHOD(T, "another key of the same name is refused, and none of the others is imported", "[key_import]") {
  KeySource first = source(Program::Pem, write_key("a.pem"));
  first.domain = "b.example";
  first.selector = "mail";
  REQUIRE(import(first));
  write_key("a.example.key");
  write_key("b.example.key");
  fs::remove(folder_ + "/foreign/a.pem");
  KeySource exim = source(Program::Exim, folder_ + "/foreign");
  exim.selector = "mail";
  const auto refused = import(exim);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Conflict);
  CHECK(refused.error().detail.find("b.example") != std::string::npos);
  CHECK(stored() == 1);
}

TEST_CASE_METHOD(T, "tables of OpenDKIM and maps of rspamd are read from their files", "[key_import]") {
  const std::string key = write_key("one.private");
  KeySource opendkim = source(Program::OpenDkim, write("KeyTable", "one a.example:s1:" + key + "\n"));
  opendkim.signing_table = write("SigningTable", "*@a.example one\n");
  CHECK(import(opendkim).value().size() == 1);
  write_key("b.example.s2.key");
  KeySource rspamd = source(Program::Rspamd, folder_ + "/foreign/$domain.$selector.key");
  rspamd.selector_map = write("selectors.map", "b.example s2\n");
  CHECK(import(rspamd).value().at(0).at("selector") == "s2");
  CHECK(stored() == 2);
  opendkim.signing_table = folder_ + "/missing";
  CHECK(import(opendkim).error().detail.find("missing") != std::string::npos);
}

TEST_CASE_METHOD(T, "one key that cannot be used fails all, by its name and path", "[key_import]") {
  const std::string good = write_key("good");
  const std::string bad = write("bad", "garbage");
  const std::string table = write("KeyTable", "a a.example:s1:" + good + "\nb b.example:s1:" + bad + "\n");
  const auto refused = import(source(Program::OpenDkim, table));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("b.example, selector s1") != std::string::npos);
  CHECK(refused.error().detail.find(bad) != std::string::npos);
  CHECK(stored() == 0);
}

TEST_CASE_METHOD(T, "what was imported is exported as it was", "[key_import]") {
  const auto key = SigningKey::generate(DkimKeyType::Ed25519).value();
  KeySource pem = source(Program::Pem, write("a.pem", key.to_pem().reveal()));
  pem.domain = "sender.example";
  pem.selector = "s1";
  REQUIRE(import(pem));
  Output text(OutputFormat::Text);
  REQUIRE(export_key(*store_, "sender.example", "s1", Effect::Done, text));
  CHECK(text.text() == key.to_pem().reveal());
  Output shown(OutputFormat::Json);
  REQUIRE(export_key(*store_, "sender.example", "s1", Effect::OnlyShown, shown));
  CHECK_FALSE(objects(shown).at(0).contains("pem"));
  for (const char* selector : {"s2", "s1/../s1", ""}) {
    Output none(OutputFormat::Text);
    CHECK_FALSE(export_key(*store_, "sender.example", selector, Effect::Done, none));
    CHECK(none.text().empty());
  }
  Output none(OutputFormat::Text);
  CHECK(export_key(*store_, "other.example", "s1", Effect::Done, none).error().kind == ErrorKind::NotFound);
}

TEST_CASE_METHOD(T, "keys are sealed as the configuration says, and sealed anew after it changed", "[key_import]") {
  KeyDirectory keys(config_.keys_directory);
  const auto key = SigningKey::generate(DkimKeyType::Ed25519).value();
  REQUIRE(keys.add(DomainName::parse("sender.example").value(), "s1", key, WallTime{}));
  Output output(OutputFormat::Json);
  CHECK(seal_keys(config_, "", output).error().detail.find("keys.sealing") != std::string::npos);
  config_.key_sealing = KeySealingMode::Key;
  config_.sealing_file = write("secret", "0123456789abcdef0123456789abcdef\n");
  REQUIRE(seal_keys(config_, "", output));
  const std::string former = config_.sealing_file;
  config_.key_sealing = KeySealingMode::Passphrase;
  config_.sealing_file = write("passphrase", "correct horse battery staple\n");
  CHECK(seal_keys(config_, "", output).error().kind == ErrorKind::Denied);
  REQUIRE(seal_keys(config_, former, output));
  REQUIRE(seal_keys(config_, "", output));
  const auto lines = objects(output);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].at("sealed") == 1);
  CHECK(lines[1].at("sealed") == 1);
  CHECK(lines[2].at("sealed") == 0);
}

}  // namespace
}  // namespace waxwing
