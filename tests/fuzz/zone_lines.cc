#include "tests/fuzz/zone_lines.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "tests/fuzz/finding.h"

namespace waxwing::fuzz {
namespace {

constexpr int kMaxRounds = 200;             ///< more than any rule of ours may take
constexpr std::size_t kMaxMissing = 1'000;  ///< in one round
constexpr std::size_t kMaxLines = 200;

std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::optional<RecordData> read_data(RecordType type, std::string_view value) {
  switch (type) {
    case RecordType::TXT:
      return TxtRecord{std::string(value)};
    case RecordType::TLSA:
      return TlsaRdata{std::string(value)};
    case RecordType::PTR:
      return PtrRecord{dns_name(value)};
    case RecordType::MX: {
      std::uint16_t preference = 0;
      const std::string_view number = take_word(value);
      std::from_chars(number.data(), number.data() + number.size(), preference);
      return MxRecord{preference, dns_name(value)};
    }
    default: {
      const auto address = IpAddress::parse(value);
      if (!address) return std::nullopt;
      return *address;
    }
  }
}

}  // namespace

std::string dns_name(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, 253)) {
    if (c > ' ' && c < 0x7F) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name.empty() ? "." : name;
}

ZoneLines ZoneLines::read(OctetSource& source) {
  ZoneLines zone;
  for (std::string_view line = source.line(); !line.empty(); line = source.line()) {
    const std::string name = std::string(take_word(line));
    const std::string type = std::string(take_word(line));
    if (zone.lines_.size() < kMaxLines) zone.lines_.push_back({name, type, std::string(line)});
  }
  return zone;
}

Answer ZoneLines::answer(const Question& question) const {
  Answer answer;
  answer.status = Answer::Status::Insecure;
  answer.canonical_name = question.name;
  for (const Line& line : lines_) {
    if (line.name != "*" && line.name != question.name) continue;
    answer.name_exists = true;
    if (line.type == "FAIL") answer.status = Answer::Status::Failed;
    if (line.type == "BOGUS") answer.status = Answer::Status::Bogus;
    if (line.type != record_type_name(question.type)) continue;
    if (auto data = read_data(question.type, line.value)) answer.records.push_back(std::move(*data));
  }
  if (!answer.usable()) answer.records.clear();
  return answer;
}

void ZoneLines::check_round(int round, std::size_t missing) {
  require(round < kMaxRounds, "a rule comes to an end");
  require(missing > 0, "a rule without a value says what it misses");
  require(missing <= kMaxMissing, "a rule asks a bounded number of questions at a time");
}

}  // namespace waxwing::fuzz
