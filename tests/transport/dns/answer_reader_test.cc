#include "transport/dns/answer_reader.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/transport/dns/message_builder.h"
#include "transport/dns/wire_name.h"

using namespace waxwing;
using namespace waxwing::test;
using Kind = ReplyReading::Kind;
using Status = Answer::Status;

namespace {

constexpr auto kTrusted = AuthenticatedData::Trusted;

ReplyReading read(const ReplyBuilder& builder, AuthenticatedData trust = kTrusted) {
  return read_reply(builder.build(), builder.question, trust);
}

const Octets kAddress = {192, 0, 2, 1};

template <class T>
T only_record(const ReplyReading& reading) {
  REQUIRE(reading.kind == Kind::Proper);
  REQUIRE(reading.answer.records.size() == 1);
  return std::get<T>(reading.answer.records[0]);
}

}  // namespace

TEST_CASE("an address is read with its TTL, Insecure without AD", "[answer_reader]") {
  const auto reading = read(ReplyBuilder().add("name.example", RecordType::A, 300, kAddress));
  CHECK(only_record<IpAddress>(reading).str() == "192.0.2.1");
  CHECK(reading.answer.status == Status::Insecure);
  CHECK(reading.answer.name_exists);
  CHECK(reading.answer.canonical_name == "name.example");
  CHECK(reading.answer.alias_secure);
  CHECK(reading.answer.ttl_seconds == 300);
}

TEST_CASE("AD makes an answer Secure only when it is trusted", "[answer_reader]") {
  ReplyBuilder builder;
  builder.secure().add("name.example", RecordType::A, 300, kAddress);
  CHECK(read(builder, AuthenticatedData::Trusted).answer.status == Status::Secure);
  CHECK(read(builder, AuthenticatedData::Ignored).answer.status == Status::Insecure);
}

TEST_CASE("each type is decoded", "[answer_reader]") {
  ReplyBuilder builder;
  SECTION("AAAA") {
    builder.question.type = RecordType::AAAA;
    builder.add("name.example", RecordType::AAAA, 1, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    CHECK(only_record<IpAddress>(read(builder)).str() == "2001:db8::1");
  }
  SECTION("MX") {
    builder.question.type = RecordType::MX;
    Octets rdata = u16(10);
    append(rdata, wire_name("MX1.Example"));
    builder.add("name.example", RecordType::MX, 1, rdata);
    CHECK(only_record<MxRecord>(read(builder)) == MxRecord{10, "mx1.example"});
  }
  SECTION("null MX") {
    builder.question.type = RecordType::MX;
    builder.add("name.example", RecordType::MX, 1, {0, 0, 0});
    CHECK(only_record<MxRecord>(read(builder)) == MxRecord{0, "."});
  }
  SECTION("TXT joins its strings without separator") {
    builder.question.type = RecordType::TXT;
    builder.add("name.example", RecordType::TXT, 1, {3, 'v', '=', 's', 0, 2, 'p', 'f'});
    CHECK(only_record<TxtRecord>(read(builder)).text == "v=spf");
  }
  SECTION("PTR") {
    builder.question.type = RecordType::PTR;
    builder.add("name.example", RecordType::PTR, 1, wire_name("host.example"));
    CHECK(only_record<PtrRecord>(read(builder)).name == "host.example");
  }
  SECTION("TLSA of any length") {
    builder.question.type = RecordType::TLSA;
    builder.add("name.example", RecordType::TLSA, 1, {3, 1});
    CHECK(only_record<TlsaRdata>(read(builder)).octets == std::string("\3\1"));
  }
  SECTION("CNAME, when it is asked for, is not followed") {
    builder.question.type = RecordType::CNAME;
    builder.add_alias("name.example", "target.example");
    const auto reading = read(builder);
    CHECK(only_record<PtrRecord>(reading).name == "target.example");
    CHECK(reading.answer.canonical_name == "name.example");
  }
}

TEST_CASE("rdata that does not have its type's shape makes the answer unusable", "[answer_reader]") {
  ReplyBuilder builder;
  const auto malformed = [&](RecordType type, const Octets& rdata) {
    builder.question.type = type;
    builder.add("name.example", type, 1, rdata);
    const auto reading = read(builder);
    CHECK(reading.kind == Kind::Unreadable);
    CHECK(reading.answer.status == Status::Failed);
    CHECK_FALSE(reading.answer.detail.empty());
  };
  SECTION("A of three octets") {
    malformed(RecordType::A, {192, 0, 2});
  }
  SECTION("A of sixteen octets") {
    malformed(RecordType::A, Octets(16));
  }
  SECTION("AAAA of four octets") {
    malformed(RecordType::AAAA, kAddress);
  }
  SECTION("MX without name") {
    malformed(RecordType::MX, {0, 10});
  }
  SECTION("MX with octets behind its name") {
    malformed(RecordType::MX, {0, 10, 1, 'a', 0, 0});
  }
  SECTION("MX whose name runs into the next record") {
    builder.add("name.example", RecordType::MX, 1, {0, 10, 9, 'a'});
    malformed(RecordType::MX, {0, 10, 1, 'a', 0});
  }
  SECTION("TXT without strings") {
    malformed(RecordType::TXT, {});
  }
  SECTION("TXT whose last string is cut") {
    malformed(RecordType::TXT, {1, 'a', 2, 'b'});
  }
  SECTION("PTR with a pointer to itself") {
    malformed(RecordType::PTR, {0xc0, 0xff});
  }
  SECTION("CNAME that is empty") {
    malformed(RecordType::CNAME, {});
  }
}

TEST_CASE("a CNAME chain is followed in whatever order its links come", "[answer_reader]") {
  ReplyBuilder builder;
  builder.add("Third.example", RecordType::A, 900, kAddress);
  builder.add_alias("second.example", "THIRD.example", 60);
  builder.add_alias("NAME.example", "second.example", 300);
  const auto reading = read(builder);
  only_record<IpAddress>(reading);
  CHECK(reading.answer.canonical_name == "third.example");
  CHECK(reading.answer.ttl_seconds == 60);
  CHECK_FALSE(reading.answer.alias_secure);
  CHECK(read(builder.secure()).answer.alias_secure);
}

TEST_CASE("records that do not belong to the end of the chain are ignored", "[answer_reader]") {
  ReplyBuilder builder;
  builder.add_alias("name.example", "target.example");
  builder.add("name.example", RecordType::A, 300, {192, 0, 2, 66});
  builder.add("other.example", RecordType::A, 300, {192, 0, 2, 67});
  builder.add("target.example", RecordType::A, 300, kAddress);
  CHECK(only_record<IpAddress>(read(builder)).str() == "192.0.2.1");
}

TEST_CASE("a CNAME loop and a chain that is too long are failures", "[answer_reader]") {
  ReplyBuilder loop;
  loop.add_alias("name.example", "other.example").add_alias("other.example", "name.example");
  CHECK(read(loop).kind == Kind::Unreadable);
  const auto chain = [](std::size_t links) {
    ReplyBuilder builder;
    std::string owner = "name.example";
    for (std::size_t i = 0; i < links; ++i) {
      const std::string target = "a" + std::to_string(i) + ".example";
      builder.add_alias(owner, target);
      owner = target;
    }
    return builder.add(owner, RecordType::A, 300, kAddress);
  };
  CHECK(read(chain(kMaxAliases)).kind == Kind::Proper);
  CHECK(read(chain(kMaxAliases + 1)).kind == Kind::Unreadable);
}

TEST_CASE("absence has the lesser of the SOA's TTL and its minimum", "[answer_reader]") {
  ReplyBuilder builder;
  const auto no_data = read(builder.add_soa(900, 60));
  CHECK(no_data.kind == Kind::Proper);
  CHECK(no_data.answer.name_exists);
  CHECK(no_data.answer.records.empty());
  CHECK(no_data.answer.ttl_seconds == 60);
  CHECK(read(ReplyBuilder().add_soa(30, 60)).answer.ttl_seconds == 30);
  builder.rcode = 3;
  CHECK_FALSE(read(builder).answer.name_exists);
  CHECK(read(builder).answer.ttl_seconds == 60);
  CHECK(read(ReplyBuilder()).answer.ttl_seconds == 0);
}

TEST_CASE("a TTL with its highest bit set counts as zero", "[answer_reader]") {
  CHECK(read(ReplyBuilder().add("name.example", RecordType::A, 0x80000000u, kAddress)).answer.ttl_seconds == 0);
}

TEST_CASE("records beside NXDOMAIN are not believed", "[answer_reader]") {
  ReplyBuilder builder;
  builder.rcode = 3;
  CHECK(read(builder.add("name.example", RecordType::A, 300, kAddress)).answer.records.empty());
}

TEST_CASE("the rcode comes first, whatever else the reply holds", "[answer_reader]") {
  ReplyBuilder builder;
  builder.secure().add("name.example", RecordType::A, 300, kAddress);
  builder.rcode = 2;
  CHECK(read(builder).kind == Kind::ServerFailure);
  CHECK(read(builder).answer.status == Status::Failed);
  CHECK(read(builder).answer.detail == "SERVFAIL");
  builder.rcode = 5;
  CHECK(read(builder).kind == Kind::Refused);
  CHECK(read(builder).answer.detail == "REFUSED");
  builder.rcode = 0;
  builder.add_opt(1);  // BADVERS, of which the header shows NOERROR
  CHECK(read(builder).kind == Kind::Refused);
  CHECK(read(builder).answer.detail == "rcode 16");
}

TEST_CASE("a reply that is not a complete reply to the question is unreadable", "[answer_reader]") {
  ReplyBuilder builder;
  builder.add("name.example", RecordType::A, 300, kAddress);
  const Question& question = builder.question;
  SECTION("another name") {
    CHECK(read_reply(builder.build(), {"other.example", RecordType::A}, kTrusted).kind == Kind::Unreadable);
  }
  SECTION("another type") {
    CHECK(read_reply(builder.build(), {"name.example", RecordType::AAAA}, kTrusted).kind == Kind::Unreadable);
  }
  SECTION("a query") {
    builder.flags = 0x0100;
    CHECK(read(builder).kind == Kind::Unreadable);
  }
  SECTION("truncated") {
    builder.flags |= 0x0200;
    CHECK(read(builder).kind == Kind::Unreadable);
  }
  SECTION("another opcode") {
    builder.flags |= 0x2800;
    CHECK(read(builder).kind == Kind::Unreadable);
  }
  SECTION("two questions") {
    builder.question_count = 2;
    CHECK(read(builder).kind == Kind::Unreadable);
  }
  SECTION("octets behind its end") {
    Octets octets = builder.build();
    octets.push_back(0);
    CHECK(read_reply(octets, question, kTrusted).kind == Kind::Unreadable);
  }
  SECTION("cut at any octet") {
    const Octets octets = builder.add_soa(1, 1).add_opt(0).build();
    for (std::size_t length = 0; length < octets.size(); ++length) {
      CHECK(read_reply(std::span(octets).first(length), question, kTrusted).kind == Kind::Unreadable);
    }
    CHECK(read_reply(octets, question, kTrusted).kind == Kind::Proper);
  }
}

TEST_CASE("the question's case does not matter", "[answer_reader]") {
  ReplyBuilder builder;
  builder.question.name = "NaMe.Example";
  builder.add("nAmE.example", RecordType::A, 300, kAddress);
  CHECK(read_reply(builder.build(), {"name.example", RecordType::A}, kTrusted).answer.records.size() == 1);
}

TEST_CASE("records of another class are ignored", "[answer_reader]") {
  ReplyBuilder builder;
  append(builder.answer, ReplyBuilder::record(wire_name("name.example"), 1, 300, kAddress, 3));
  builder.answers = 1;
  CHECK(read(builder).answer.records.empty());
}

TEST_CASE("an answer holds no more than the limit of records", "[answer_reader]") {
  ReplyBuilder builder;
  for (std::size_t i = 0; i < kMaxRecordsPerAnswer + 5; ++i) builder.add("name.example", RecordType::A, 300, kAddress);
  CHECK(read(builder).answer.records.size() == kMaxRecordsPerAnswer);
}

TEST_CASE("random damage never makes a reply more than it was", "[answer_reader]") {
  ReplyBuilder builder;
  builder.question.type = RecordType::MX;
  Octets rdata = u16(10);
  append(rdata, Octets{2, 'm', 'x', 0xc0, 12});
  builder.add_alias("name.example", "target.example")
      .add("target.example", RecordType::MX, 300, rdata)
      .add_soa(1, 1)
      .add_opt(0);
  const Octets good = builder.build();
  REQUIRE(only_record<MxRecord>(read(builder)).exchange == "mx.name.example");
  std::mt19937 random(1);  // fixed seed
  for (int round = 0; round < 20'000; ++round) {
    Octets octets = good;
    for (int i = 0; i < 3; ++i) octets[random() % octets.size()] = static_cast<std::uint8_t>(random());
    const auto reading = read_reply(octets, builder.question, AuthenticatedData::Ignored);
    if (reading.answer.status == Status::Secure || reading.answer.records.size() > 2) FAIL("believed too much");
  }
}

TEST_CASE("names are lower case with unusual octets escaped", "[wire_name]") {
  const Octets message = {5, 'A', '.', ' ', '\\', 0xe4, 3, '_', '2', '5', 0};
  const auto name = read_wire_name(message, 0);
  REQUIRE(name);
  CHECK(name->text == "a\\046\\032\\092\\228._25");
  CHECK(name->next == message.size());
  CHECK(read_wire_name(Octets{0}, 0)->text == ".");
}

TEST_CASE("compression pointers go backwards only", "[wire_name]") {
  const Octets back = {1, 'a', 0, 1, 'b', 0xc0, 0};
  const auto name = read_wire_name(back, 3);
  REQUIRE(name);
  CHECK(name->text == "b.a");
  CHECK(name->next == 7);
  CHECK_FALSE(read_wire_name(Octets{0xc0, 0}, 0));                      // itself
  CHECK_FALSE(read_wire_name(Octets{0xc0, 2, 0}, 0));                   // forwards
  CHECK_FALSE(read_wire_name(Octets{1, 'a', 0xc0, 0}, 0));              // its own start
  CHECK_FALSE(read_wire_name(Octets{0, 1, 'a', 0xc0, 4, 0xc0, 3}, 5));  // two that chase each other
  CHECK_FALSE(read_wire_name(Octets{0xc0}, 0));                         // cut
}

TEST_CASE("a name leaves neither the message nor the limit of its length", "[wire_name]") {
  CHECK_FALSE(read_wire_name(Octets{}, 0));
  CHECK_FALSE(read_wire_name(Octets{3, 'a', 'b'}, 0));
  CHECK_FALSE(read_wire_name(Octets{1, 'a'}, 0));
  CHECK_FALSE(read_wire_name(Octets{0x40, 0}, 0));  // a reserved label type
  const auto of_labels = [](int count, int last) {
    Octets octets;
    for (int i = 0; i < count; ++i) {
      octets.push_back(63);
      octets.insert(octets.end(), 63, 'x');
    }
    octets.push_back(static_cast<std::uint8_t>(last));
    octets.insert(octets.end(), static_cast<std::size_t>(last), 'x');
    octets.push_back(0);
    return octets;
  };
  CHECK(read_wire_name(of_labels(3, 61), 0));
  CHECK_FALSE(read_wire_name(of_labels(3, 62), 0));
}
