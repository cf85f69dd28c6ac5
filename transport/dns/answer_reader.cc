#include "transport/dns/answer_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "transport/dns/record_reader.h"
#include "transport/dns/wire_name.h"

namespace waxwing {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderOctets = 12;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint16_t kTypeOpt = 41;
constexpr unsigned kNoError = 0;
constexpr unsigned kServerFailure = 2;
constexpr unsigned kNameError = 3;

struct Record {
  std::string owner;
  std::uint16_t type;
  std::uint16_t record_class;
  std::uint32_t ttl;
  std::size_t rdata_offset;
  std::size_t rdata_length;
};

struct Message {
  std::uint16_t flags = 0;
  unsigned rcode = 0;  // with the upper bits of EDNS
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t question_class = 0;
  std::vector<Record> answers;
  std::vector<Record> authorities;

  [[nodiscard]] bool is_response() const { return (flags & 0xf800u) == 0x8000u; }  // QR, and opcode QUERY
  [[nodiscard]] bool truncated() const { return (flags & 0x0200u) != 0; }
  [[nodiscard]] bool authenticated() const { return (flags & 0x0020u) != 0; }
};

// Reads numbers and names one after the other; once something does not fit, nothing more is read.
class Cursor {
 public:
  explicit Cursor(Octets message) : message_(message) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return offset_ == message_.size(); }
  [[nodiscard]] std::size_t offset() const { return offset_; }

  std::uint16_t u16() {
    if (!advance(2)) return 0;
    return static_cast<std::uint16_t>(message_[offset_ - 2] * 256u + message_[offset_ - 1]);
  }

  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }

  std::string name() {
    std::optional<WireName> name;
    if (!failed_) name = read_wire_name(message_, offset_);
    failed_ = !name;
    if (failed_) return {};
    offset_ = name->next;
    return std::move(name->text);
  }

  bool advance(std::size_t count) {
    failed_ = failed_ || count > message_.size() - offset_;
    if (!failed_) offset_ += count;
    return !failed_;
  }

 private:
  Octets message_;
  std::size_t offset_ = 0;
  bool failed_ = false;
};

Record read_next_record(Cursor& cursor) {
  Record record;
  record.owner = cursor.name();
  record.type = cursor.u16();
  record.record_class = cursor.u16();
  record.ttl = cursor.u32();
  record.rdata_length = cursor.u16();
  record.rdata_offset = cursor.offset();
  cursor.advance(record.rdata_length);
  return record;
}

// A TTL with the highest bit set counts as zero (RFC 2181 §8).
std::uint32_t sane_ttl(std::uint32_t ttl) {
  return ttl > 0x7fffffffu ? 0 : ttl;
}

// The records of a section; those of other classes are left out, except OPT, which has no class.
bool read_section(Cursor& cursor, unsigned count, std::vector<Record>& records) {
  for (unsigned i = 0; i < count; ++i) {
    Record record = read_next_record(cursor);
    if (cursor.failed()) return false;
    if (record.record_class == kClassIn || record.type == kTypeOpt) records.push_back(std::move(record));
  }
  return true;
}

std::optional<Message> read_message(Octets octets) {
  if (octets.size() < kHeaderOctets) return std::nullopt;
  Cursor cursor(octets);
  Message message;
  cursor.u16();  // the identifier was checked by whoever received it
  message.flags = cursor.u16();
  message.rcode = message.flags & 0xfu;
  std::array<unsigned, 4> counts;
  for (unsigned& count : counts) count = cursor.u16();
  if (counts[0] != 1) return std::nullopt;
  message.name = cursor.name();
  message.type = cursor.u16();
  message.question_class = cursor.u16();
  std::vector<Record> additional;
  const bool complete = !cursor.failed() && read_section(cursor, counts[1], message.answers) &&
                        read_section(cursor, counts[2], message.authorities) &&
                        read_section(cursor, counts[3], additional) && cursor.at_end();
  if (!complete) return std::nullopt;
  const auto opt = std::ranges::find(additional, kTypeOpt, &Record::type);
  if (opt != additional.end()) message.rcode |= opt->ttl >> 24 << 4;
  return message;
}

std::string rcode_name(unsigned rcode) {
  static constexpr std::array<std::string_view, 6> kNames = {"NOERROR",  "FORMERR", "SERVFAIL",
                                                             "NXDOMAIN", "NOTIMP",  "REFUSED"};
  return rcode < kNames.size() ? std::string(kNames[rcode]) : fmt::format("rcode {}", rcode);
}

ReplyReading failed(ReplyReading::Kind kind, std::string detail) {
  ReplyReading reading{.kind = kind, .answer = {}};
  reading.answer.detail = std::move(detail);
  return reading;
}

ReplyReading unreadable(std::string detail) {
  return failed(ReplyReading::Kind::Unreadable, std::move(detail));
}

// Where the chain of aliases from `name` ends, and the least TTL on the way.
struct Chain {
  std::string end;
  std::size_t links = 0;
  std::uint32_t ttl = std::numeric_limits<std::uint32_t>::max();
};

std::optional<Chain> follow_aliases(Octets octets, const Message& message, std::string name) {
  constexpr auto kAlias = static_cast<std::uint16_t>(RecordType::CNAME);
  Chain chain{.end = std::move(name)};
  while (true) {
    const auto link = std::ranges::find_if(
        message.answers, [&](const Record& record) { return record.type == kAlias && record.owner == chain.end; });
    if (link == message.answers.end()) return chain;
    if (++chain.links > kMaxAliases) return std::nullopt;
    const auto target = read_record(octets, link->rdata_offset, link->rdata_length, RecordType::CNAME);
    if (!target) return std::nullopt;
    chain.end = std::get<PtrRecord>(*target).name;
    chain.ttl = std::min(chain.ttl, sane_ttl(link->ttl));
  }
}

// How long the absence may be remembered: the lesser of the SOA's TTL and its last field (RFC 2308 §5).
std::uint32_t negative_ttl(Octets octets, const Message& message) {
  const auto soa = std::ranges::find(message.authorities, kTypeSoa, &Record::type);
  constexpr std::size_t kMinimumOctets = 4;
  if (soa == message.authorities.end() || soa->rdata_length < kMinimumOctets) return 0;
  Cursor cursor(octets);
  cursor.advance(soa->rdata_offset + soa->rdata_length - kMinimumOctets);
  return std::min(sane_ttl(soa->ttl), sane_ttl(cursor.u32()));
}

ReplyReading read_proper(Octets octets, const Message& message, const Question& question, bool secure) {
  Chain chain{.end = question.name};
  if (question.type != RecordType::CNAME) {
    std::optional<Chain> followed = follow_aliases(octets, message, question.name);
    if (!followed) return unreadable("the CNAME chain is broken or too long");
    chain = std::move(*followed);
  }
  ReplyReading reading{.kind = ReplyReading::Kind::Proper, .answer = {}};
  Answer& answer = reading.answer;
  answer.status = secure ? Answer::Status::Secure : Answer::Status::Insecure;
  answer.name_exists = message.rcode == kNoError;
  answer.alias_secure = secure || chain.links == 0;
  answer.ttl_seconds = chain.ttl;
  for (const Record& record : message.answers) {
    const bool wanted = record.type == static_cast<std::uint16_t>(question.type) && record.owner == chain.end;
    if (!wanted || !answer.name_exists || answer.records.size() == kMaxRecordsPerAnswer) continue;
    std::optional<RecordData> data = read_record(octets, record.rdata_offset, record.rdata_length, question.type);
    if (!data) return unreadable(fmt::format("a {} record is malformed", record_type_name(question.type)));
    answer.records.push_back(std::move(*data));
    answer.ttl_seconds = std::min(answer.ttl_seconds, sane_ttl(record.ttl));
  }
  if (answer.records.empty()) answer.ttl_seconds = std::min(answer.ttl_seconds, negative_ttl(octets, message));
  answer.canonical_name = std::move(chain.end);
  return reading;
}

}  // namespace

ReplyReading read_reply(Octets octets, const Question& question, AuthenticatedData authenticated_data) {
  const std::optional<Message> message = read_message(octets);
  if (!message || !message->is_response()) return unreadable("a reply that cannot be read");
  const bool ours = message->name == question.name && message->question_class == kClassIn &&
                    message->type == static_cast<std::uint16_t>(question.type);
  if (!ours) return unreadable("a reply to another question");
  if (message->truncated()) return unreadable("a truncated reply");
  if (message->rcode == kServerFailure) return failed(ReplyReading::Kind::ServerFailure, "SERVFAIL");
  if (message->rcode != kNoError && message->rcode != kNameError) {
    return failed(ReplyReading::Kind::Refused, rcode_name(message->rcode));
  }
  const bool secure = message->authenticated() && authenticated_data == AuthenticatedData::Trusted;
  return read_proper(octets, *message, question, secure);
}

}  // namespace waxwing
