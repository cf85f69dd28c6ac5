#include "relay/rotation/record_format.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "keys/rotation_request.h"
#include "relay/rotation/key_check.h"
#include "relay/rotation/publisher.h"
#include "relay/rotation/run_program.h"

namespace waxwing {
namespace {

namespace fs = std::filesystem;

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};

const std::vector<PublishedRecord> kRecords = {
    {"s1._domainkey.sender.example", "v=DKIM1; k=rsa; p=" + std::string(300, 'A')}};

RotationState two_keys() {
  return adopt_keys(*DomainName::parse("sender.example"),
                    {{{"s1", DkimKeyType::Rsa, "v=DKIM1; k=rsa; p=QQ=="}},
                     {{"s2", DkimKeyType::Rsa, "v=DKIM1; k=rsa; p=Qg=="}}},
                    kNow)
      .state;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Folder {
 public:
  Folder() {
    std::string pattern = fs::temp_directory_path() / "waxwing-publish-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  std::string program(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << text;
    ::chmod(path.c_str(), 0755);
    return path;
  }

 private:
  std::string path_;
};

TEST_CASE("every format splits a text where it must, after 255 octets") {
  const std::string split = "v=DKIM1; k=rsa; p=" + std::string(237, 'A') + "\" \"" + std::string(63, 'A');
  CHECK(format_records(kRecords, RecordFormat::Zone, "sender.example", 60) ==
        "s1._domainkey.sender.example. 60 IN TXT \"" + split + "\"\n");
  CHECK_THAT(
      format_records(kRecords, RecordFormat::Nsupdate, "sender.example", 60),
      Catch::StartsWith(
          "prereq nxrrset s1._domainkey.sender.example. TXT\nupdate add s1._domainkey.sender.example. 60 TXT \"" +
          split + "\"\nsend\n"));
  CHECK_THAT(format_records(kRecords, RecordFormat::Octodns, "sender.example", 60),
             Catch::StartsWith("'s1._domainkey':\n  ttl: 60\n  type: TXT\n  value: 'v=DKIM1\\; k=rsa\\; p=AAA"));
  CHECK_THAT(format_records(kRecords, RecordFormat::Terraform, "sender.example", 60),
             Catch::Contains("resource \"aws_route53_record\" \"s1__domainkey_sender_example\"") &&
                 Catch::Contains(std::string(237, 'A') + "\\\"\\\"" + std::string(63, 'A') + "\"]"));
  CHECK_THAT(format_records(kRecords, RecordFormat::ExternalDns, "sender.example", 60),
             Catch::Contains("kind: DNSEndpoint") && Catch::Contains("name: dkim-sender-example") &&
                 Catch::Contains("- '\"" + split));
  CHECK(format_records(kRecords, RecordFormat::Plain, "sender.example", 60) ==
        "s1._domainkey.sender.example\t" + kRecords.front().text + "\n");
  for (const std::string word : {"zone", "nsupdate", "octodns", "terraform", "external-dns", "plain"})
    CHECK(parse_record_format(word));
  CHECK_FALSE(parse_record_format("xml"));
}

TEST_CASE("what is to be published are the records that somebody may look up, and the empty ones of revoked keys") {
  RotationState state = two_keys();
  CHECK(published_records(state).size() == 2);
  state = revoke_keys(state, "s1", kNow)->state;
  REQUIRE(published_records(state).size() == 2);
  CHECK(published_records(state).front().text == "v=DKIM1; p=");
  state.generations.front().revoked = false;
  CHECK(published_records(state).size() == 1);
  state.delegation = "dkim.provider.example";
  CHECK(published_records(state).front().name == "s2._domainkey.sender.example.dkim.provider.example");
  CHECK_THAT(format_delegation(state, 3, 60),
             Catch::Contains("wx3-ed25519._domainkey.sender.example. 60 IN CNAME "
                             "wx3-ed25519._domainkey.sender.example.dkim.provider.example."));
}

TEST_CASE("a zone file has all records of its domain, and the server is told once") {
  const Folder folder;
  const std::string reload = folder.program("reload", "echo told >> " + folder.path() + "/told\n");
  ZoneFilePublisher publisher(folder.path(), reload, 60);
  const RotationState state = two_keys();
  const RotationAction action{RotationAction::Kind::Publish, "s1", DkimKeyType::Rsa, "v=DKIM1; k=rsa; p=QQ=="};
  REQUIRE(publisher.carry_out(action, "s1._domainkey.sender.example", state));
  REQUIRE(publisher.carry_out(action, "s1._domainkey.sender.example", state));
  REQUIRE(publisher.finish());
  REQUIRE(publisher.finish());
  CHECK(read(folder.path() + "/told") == "told\n");
  const std::string zone = read(folder.path() + "/sender.example.zone");
  CHECK_THAT(zone, Catch::Contains("s1._domainkey.sender.example. 60 IN TXT") && Catch::Contains("s2._domainkey"));
  ZoneFilePublisher nowhere(folder.path() + "/none", reload, 60);
  const auto failed = nowhere.carry_out(action, "s1._domainkey.sender.example", state);
  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().detail, Catch::Contains("/none/sender.example.zone"));
}

TEST_CASE("a program is told action, name, TTL and text, and says by its status what became of it") {
  const Folder folder;
  const std::string good = folder.program("good", "printf '%s|' \"$@\" > " + folder.path() + "/told\n");
  const RotationAction action{RotationAction::Kind::Revoke, "s1", DkimKeyType::Rsa, "v=DKIM1; p=A; $(reboot)"};
  REQUIRE(CommandPublisher(good, 60).carry_out(action, "s1.example", two_keys()));
  CHECK(read(folder.path() + "/told") == "revoke|s1.example|60|v=DKIM1; p=A; $(reboot)|");
  const std::string bad = folder.program("bad", "echo first; echo 'the provider says no' >&2; exit 3\n");
  const auto failed = CommandPublisher(bad, 60).carry_out(action, "s1.example", two_keys());
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::Unavailable);
  CHECK_THAT(failed.error().detail, Catch::Contains("status 3") && Catch::EndsWith("the provider says no"));
  CHECK_FALSE(run_program({folder.path() + "/missing"}));
}

TEST_CASE("the adapter for lexicon says to it what is meant") {
  const Folder folder;
  folder.program("lexicon", "echo \"$@\" >> " + folder.path() + "/told\n");
  std::ofstream(folder.path() + "/env") << "LEXICON_PROVIDER=cloud\nLEXICON_ZONE=sender.example\nPATH=" << folder.path()
                                        << ":$PATH\n";
  const std::string program = folder.program("run", "export WAXWING_LEXICON_SETTINGS=" + folder.path() + "/env\nexec " +
                                                        WAXWING_SOURCE_DIR "/etc/publish-with-lexicon \"$@\"\n");
  for (const std::string action : {"publish", "withdraw", "revoke"})
    REQUIRE(run_program({program, action, "s1._domainkey.sender.example", "60", "v=DKIM1; p=A"}));
  CHECK(read(folder.path() + "/told") ==
        "cloud create sender.example TXT --name s1._domainkey.sender.example. --ttl 60 --content v=DKIM1; p=A\n"
        "cloud delete sender.example TXT --name s1._domainkey.sender.example. --content v=DKIM1; p=A\n"
        "cloud delete sender.example TXT --name s1._domainkey.sender.example. --content v=DKIM1; p=A\n"
        "cloud create sender.example TXT --name s1._domainkey.sender.example. --ttl 60 --content v=DKIM1; p=\n");
  CHECK_FALSE(run_program({program, "publish"}));
}

TEST_CASE("a check finds records that are not in order, missing standbys and weak keys") {
  RotationState state = two_keys();
  std::map<std::string, RecordSighting, std::less<>> sightings;
  for (const std::string selector : {"s1", "s2"}) sightings[selector].seen = RecordSighting::Seen::Everywhere;
  auto findings = check_keys(state, sightings, kNow);
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings.front().detail, Catch::Contains("no standby"));
  state.generations.push_back(
      {{{"s3", DkimKeyType::Ed25519, "v=DKIM1; k=ed25519; p=A"}}, KeyPhase::Pending, kNow, {}, {}});
  CHECK(check_keys(state, sightings, kNow).empty());
  sightings["s3"].seen = RecordSighting::Seen::Partly;
  CHECK(check_keys(state, sightings, kNow).empty());
  CHECK(check_keys(state, sightings, kNow + Seconds(3 * 86'400)).size() == 1);
  sightings["s2"].seen = RecordSighting::Seen::Unknown;
  findings = check_keys(state, sightings, kNow);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().selector == "s2");
}

}  // namespace
}  // namespace waxwing
