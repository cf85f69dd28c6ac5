#include "relay/rotation/record_sight.h"

#include <catch2/catch.hpp>

#include <map>
#include <set>

namespace waxwing {
namespace {

using Seen = RecordSighting::Seen;

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};
const std::string kName = "s1._domainkey.sender.example";
const std::string kRecord = "v=DKIM1; k=ed25519; p=" + std::string(300, 'A');

std::string soa_rdata(std::uint32_t minimum) {
  std::string rdata = *write_wire_name("ns1.example") + *write_wire_name("hostmaster.example");
  for (int i = 0; i < 4; ++i) append_u32(rdata, 7'200);
  append_u32(rdata, minimum);
  return rdata;
}

/// Name servers as a table: two servers of sender.example, each with an IPv4 address, and the resolver.
class World {
 public:
  World() {
    for (const char* server : {"192.0.2.1", "192.0.2.2"}) texts[server] = {kRecord};
    resolver = {kRecord};
  }

  RecordSighting look(ExpectedRecord expected = ExpectedRecord::Present) {
    ServerAnswers answers;
    for (int round = 0; round < 20; ++round) {
      auto sighting = sight_record(kName, kRecord, expected, kNow, answers);
      if (sighting) return *sighting;
      for (const ServerQuestion& question : answers.take_missing()) {
        asked.insert(question);
        answers.add(question, std::make_shared<ServerAnswer>(answer(question)));
      }
    }
    FAIL("the look does not end");
    return {};
  }

  std::map<std::string, std::vector<std::string>> texts;  // by server
  std::map<std::string, std::string> aliases;             // by server: CNAME of the name
  std::vector<std::string> resolver;
  std::set<std::string> silent, lame, unroutable, cut, deaf_over_tcp;
  bool resolver_fails = false;
  std::set<ServerQuestion> asked;

 private:
  using Section = DnsWriter::Section;

  ServerAnswer answer(const ServerQuestion& question) {
    if (!question.server) return from_resolver(question);
    const std::string server = question.server->str();
    const bool is_silent =
        silent.contains(server) || (question.carrier == DnsCarrier::Tcp && deaf_over_tcp.contains(server));
    if (is_silent) return {ServerAnswer::Kind::Silent, {}, "does not answer"};
    if (unroutable.contains(server)) return {ServerAnswer::Kind::Unroutable, {}, "no route"};
    std::uint16_t flags = dns::kFlagResponse;
    if (!lame.contains(server)) flags |= dns::kFlagAuthoritative;
    const bool is_cut = question.carrier == DnsCarrier::Udp && cut.contains(server);
    if (is_cut) flags |= dns::kFlagTruncated;
    auto writer = *DnsWriter::begin(1, flags, question.name, question.type);
    if (question.name == kName && aliases.contains(server)) {
      (void)writer.add(Section::Answer, kName, dns::kTypeCname, dns::kClassIn, 600, *write_wire_name(aliases[server]));
    } else if (!is_cut) {
      for (const std::string& text : texts[server])
        (void)writer.add(Section::Answer, question.name, dns::kTypeTxt, dns::kClassIn, 300, txt_rdata(text));
    }
    return {ServerAnswer::Kind::Answered, *read_dns_message(writer.octets()), ""};
  }

  ServerAnswer from_resolver(const ServerQuestion& question) {
    const unsigned rcode = resolver_fails && question.type == dns::kTypeTxt ? 2 : 0;
    auto writer =
        *DnsWriter::begin(1, static_cast<std::uint16_t>(dns::kFlagResponse | rcode), question.name, question.type);
    const bool target_zone = question.name.ends_with("provider.example");
    const std::string apex = target_zone ? "provider.example" : "sender.example";
    if (question.type == dns::kTypeSoa)
      (void)writer.add(Section::Authority, apex, dns::kTypeSoa, dns::kClassIn, 9, soa_rdata(900));
    if (question.type == dns::kTypeNs) {
      for (const std::string& name : target_zone ? std::vector<std::string>{"ns3.example"}
                                                 : std::vector<std::string>{"ns1.example", "ns2.example"})
        (void)writer.add(Section::Answer, apex, dns::kTypeNs, dns::kClassIn, 60, *write_wire_name(name));
    }
    if (question.type == dns::kTypeA)
      (void)writer.add(Section::Answer, question.name, dns::kTypeA, dns::kClassIn, 60,
                       std::string("\xc0\x00\x02", 3) + static_cast<char>(question.name[2] - '0'));
    if (question.type == dns::kTypeTxt && rcode == 0) {
      for (const std::string& text : resolver)
        (void)writer.add(Section::Answer, question.name, dns::kTypeTxt, dns::kClassIn, 30, txt_rdata(text));
    }
    return {ServerAnswer::Kind::Answered, *read_dns_message(writer.octets()), ""};
  }
};

TEST_CASE("a record is everywhere when each server has it over UDP and TCP, and the resolver too") {
  World world;
  const RecordSighting sighting = world.look();
  CHECK(sighting.seen == Seen::Everywhere);
  CHECK(sighting.ttl == Seconds(300));
  CHECK(sighting.negative_ttl == Seconds(900));
  CHECK(sighting.record == kRecord);
  CHECK_THAT(sighting.evidence,
             Catch::Contains("ns2.example 192.0.2.2 over TCP has it") && Catch::Contains("the resolver has it"));
}

TEST_CASE("one server without it, with another, or with one beside it, is enough for Partly") {
  for (const std::vector<std::string>& texts : std::vector<std::vector<std::string>>{
           {}, {"v=DKIM1; p="}, {kRecord + "A"}, {kRecord, "somebody else's"}, {kRecord, kRecord}}) {
    World world;
    world.texts["192.0.2.2"] = texts;
    CHECK(world.look().seen == Seen::Partly);
  }
}

TEST_CASE("silence, on one server over one carrier, is neither presence nor absence") {
  World silent;
  silent.silent = {"192.0.2.1"};
  CHECK(silent.look().seen == Seen::Unknown);
  World deaf;
  deaf.deaf_over_tcp = {"192.0.2.1"};
  CHECK(deaf.look().seen == Seen::Unknown);
  World lame;
  lame.lame = {"192.0.2.1"};
  CHECK(lame.look().seen == Seen::Unknown);
  World bogus;
  bogus.resolver_fails = true;
  CHECK(bogus.look().seen == Seen::Unknown);
  World gone;
  gone.texts = {};
  gone.resolver = {};
  gone.silent = {"192.0.2.1"};
  CHECK(gone.look(ExpectedRecord::Absent).seen == Seen::Partly);
  World nobody;
  nobody.unroutable = {"192.0.2.1"};
  CHECK(nobody.look().seen == Seen::Unknown);
}

TEST_CASE("a record is nowhere when all say so, the resolver too; an empty key counts as none") {
  World world;
  world.texts = {{"192.0.2.1", {"v=DKIM1; p="}}};
  world.resolver = {};
  CHECK(world.look(ExpectedRecord::Absent).seen == Seen::Nowhere);
  world.resolver = {kRecord};
  CHECK(world.look(ExpectedRecord::Absent).seen == Seen::Partly);
}

TEST_CASE("a resolver is not asked while a server lacks the record, and would otherwise remember that") {
  World world;
  world.texts["192.0.2.1"] = {};
  CHECK(world.look().seen == Seen::Partly);
  CHECK_FALSE(world.asked.contains({std::nullopt, DnsCarrier::Udp, kName, dns::kTypeTxt}));
}

TEST_CASE("a reply that is cut off counts as what TCP says") {
  World world;
  world.cut = {"192.0.2.1"};
  CHECK(world.look().seen == Seen::Everywhere);
}

TEST_CASE("a CNAME is followed to the servers of its target, and all must agree on it") {
  World world;
  world.aliases = {{"192.0.2.1", "wx1.provider.example"}, {"192.0.2.2", "wx1.provider.example"}};
  world.texts = {{"192.0.2.3", {kRecord}}};
  CHECK(world.look().seen == Seen::Everywhere);
  world.texts["192.0.2.3"] = {};
  CHECK(world.look().seen == Seen::Partly);
  world.texts["192.0.2.3"] = {kRecord};
  world.aliases["192.0.2.2"] = "wx2.provider.example";
  CHECK(world.look().seen == Seen::Partly);
  world.aliases.erase("192.0.2.2");
  CHECK(world.look().seen == Seen::Partly);
}

TEST_CASE("a circle of CNAMEs ends") {
  World world;
  world.aliases = {{"192.0.2.1", kName}, {"192.0.2.2", kName}};
  CHECK(world.look().seen == Seen::Unknown);
}

}  // namespace
}  // namespace waxwing
