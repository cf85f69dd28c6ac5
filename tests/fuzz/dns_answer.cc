// A reply of a resolver is read whole or not at all: whatever it holds, an answer is secure only with AD from who may say
// so, has records of the type that was asked for alone, and a reply that lacks its last octet is no answer. The first
// octet chooses the type; the rest is the message, and the question is the one that stands in it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "transport/dns/answer_reader.h"
#include "transport/dns/wire_name.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::size_t kQuestionOffset = 12;
constexpr std::size_t kMaxNameText = 4 * 255;  // each octet as \DDD

bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameText &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z'); });
}

void check_record(const RecordData& record, RecordType type) {
  struct Visitor {
    RecordType type;
    bool operator()(const IpAddress&) const { return type == RecordType::A || type == RecordType::AAAA; }
    bool operator()(const MxRecord& mx) const { return type == RecordType::MX && is_plain(mx.exchange); }
    bool operator()(const TxtRecord&) const { return type == RecordType::TXT; }
    bool operator()(const PtrRecord& pointer) const {
      return (type == RecordType::PTR || type == RecordType::CNAME) && is_plain(pointer.name);
    }
    bool operator()(const TlsaRdata&) const { return type == RecordType::TLSA; }
  };
  require(std::visit(Visitor{type}, record), "a record is of the type that was asked for, and its names are plain");
}

void check_answer(const Answer& answer, RecordType type) {
  require(answer.usable(), "a proper reply is an answer");
  require(answer.records.size() <= kMaxRecordsPerAnswer, "records are counted");
  require(answer.name_exists || answer.records.empty(), "a name without existence has no records");
  require(answer.ttl_seconds <= 0x7fffffffu, "a TTL has no sign");
  require(is_plain(answer.canonical_name), "the end of the chain is a plain name");
  for (const RecordData& record : answer.records) check_record(record, type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  constexpr std::array kTypes = {RecordType::A,   RecordType::CNAME, RecordType::PTR, RecordType::MX,
                                 RecordType::TXT, RecordType::AAAA,  RecordType::TLSA};
  if (size == 0) return 0;
  const std::span<const std::uint8_t> message(octets + 1, size - 1);
  Question question{"name.example", kTypes[octets[0] % kTypes.size()]};
  if (const auto asked = read_wire_name(message, kQuestionOffset)) question.name = asked->text;

  const ReplyReading trusted = read_reply(message, question, AuthenticatedData::Trusted);
  const ReplyReading ignored = read_reply(message, question, AuthenticatedData::Ignored);
  require(trusted.kind == ignored.kind, "trust changes nothing but the state");
  require(ignored.answer.status != Answer::Status::Secure, "without trust nothing is secure");
  if (trusted.kind != ReplyReading::Kind::Proper) {
    require(trusted.answer.status == Answer::Status::Failed && trusted.answer.records.empty(),
            "what is no answer failed");
    require(!trusted.answer.detail.empty(), "a failure says why");
    return 0;
  }
  const bool has_ad = (message[3] & 0x20u) != 0;
  require((trusted.answer.status == Answer::Status::Secure) == has_ad, "secure is what has AD");
  require(trusted.answer.alias_secure || !has_ad, "AD covers the chain");
  check_answer(trusted.answer, question.type);
  require(read_reply(message.first(message.size() - 1), question, AuthenticatedData::Trusted).kind !=
              ReplyReading::Kind::Proper,
          "a reply that was cut is no answer");
  question.name += "x";
  require(read_reply(message, question, AuthenticatedData::Trusted).kind == ReplyReading::Kind::Unreadable,
          "a reply to another question is no answer");
  return 0;
}
