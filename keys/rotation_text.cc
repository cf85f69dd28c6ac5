#include "keys/rotation_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "keys/key_name.h"

namespace waxwing {
namespace {

constexpr std::string_view kFirstLine = "waxwing-rotation 1";
constexpr std::string_view kNothing = "-";
constexpr std::size_t kMaxEntries = 4 * kMaxGenerations;

std::int64_t to_number(WallTime time) {
  return time.time_since_epoch().count();
}

std::string flags_of(const KeyGeneration& generation) {
  std::string flags;
  if (generation.revoked) flags += 'r';
  if (generation.reveal) flags += 'v';
  return flags.empty() ? std::string(kNothing) : flags;
}

std::string_view or_nothing(std::string_view text) {
  return text.empty() ? kNothing : text;
}

/// Takes the text apart, line by line and word by word; once something does not fit, all that follows is empty.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty() && line_.empty(); }
  [[nodiscard]] std::size_t number() const { return number_; }
  void fail() { failed_ = true; }

  // Goes to the next line if it begins with this word.
  bool take(std::string_view word) {
    if (failed_) return false;
    const std::size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end == std::string_view::npos ? 0 : end);
    if (end == std::string_view::npos || !line.starts_with(word)) return false;
    line_ = line.substr(word.size());
    rest_.remove_prefix(end + 1);
    ++number_;
    return true;
  }

  void expect(std::string_view word) {
    if (!take(word)) failed_ = true;
  }

  std::string_view word() {
    if (!line_.starts_with(' ')) failed_ = true;
    if (failed_) return {};
    line_.remove_prefix(1);
    const std::string_view found = line_.substr(0, line_.find(' '));
    line_.remove_prefix(found.size());
    if (found.empty()) failed_ = true;
    return found;
  }

  std::string_view remainder() {
    if (!line_.starts_with(' ')) failed_ = true;
    const std::string_view found = failed_ ? std::string_view() : line_.substr(1);
    line_ = {};
    return found;
  }

  void end_line() {
    if (!line_.empty()) failed_ = true;
  }

  template <class Number>
  Number number_word(Number most) {
    const std::string_view text = word();
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) failed_ = true;
    if (text != fmt::to_string(value)) failed_ = true;  // zeros in front: Waxwing did not write it
    return failed_ ? Number{} : value;
  }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  bool failed_ = false;
};

constexpr std::int64_t kMaxTimeMs = 253'402'300'799'000;  // the last second of year 9999
constexpr std::int64_t kMaxSeconds = 0xffff'ffff;

WallTime read_time(Lines& lines) {
  return WallTime(Milliseconds(lines.number_word<std::int64_t>(kMaxTimeMs)));
}

void read_flags(Lines& lines, KeyGeneration& generation) {
  const std::string_view flags = lines.word();
  if (flags == kNothing) return;
  for (const char flag : flags) {
    if (flag == 'r')
      generation.revoked = true;
    else if (flag == 'v')
      generation.reveal = true;
    else
      lines.fail();
  }
  if (flags != flags_of(generation)) lines.fail();  // each once, and in order
}

void read_key(Lines& lines, KeyGeneration& generation) {
  RotatedKey key;
  const std::string_view selector = lines.word();
  const auto parsed = parse_selector(selector);
  if (!parsed || *parsed != selector) return lines.fail();
  key.selector = *parsed;
  const std::string_view type = lines.word();
  if (type == dkim_key_type_name(DkimKeyType::Ed25519))
    key.type = DkimKeyType::Ed25519;
  else if (type != dkim_key_type_name(DkimKeyType::Rsa))
    return lines.fail();
  const std::string_view record = lines.remainder();
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (record.empty() || !std::ranges::all_of(record, is_plain)) return lines.fail();
  if (record != kNothing) key.record = record;
  if (generation.keys.size() == kMaxKeysOfGeneration) return lines.fail();
  generation.keys.push_back(std::move(key));
}

void read_generation(Lines& lines, RotationState& state) {
  KeyGeneration generation;
  const auto phase = parse_key_phase(lines.word());
  if (!phase || state.generations.size() == kMaxGenerations) return lines.fail();
  generation.phase = *phase;
  generation.since = read_time(lines);
  const auto drained = read_time(lines);
  if (drained != WallTime{}) generation.drained = drained;
  const auto withdrawing = read_time(lines);
  if (withdrawing != WallTime{}) generation.withdrawing = withdrawing;
  generation.ttl = Seconds(lines.number_word<std::int64_t>(kMaxSeconds));
  generation.negative_ttl = Seconds(lines.number_word<std::int64_t>(kMaxSeconds));
  read_flags(lines, generation);
  lines.end_line();
  while (lines.take("key")) read_key(lines, generation);
  if (generation.keys.empty()) lines.fail();
  state.generations.push_back(std::move(generation));
}

tl::unexpected<Error> corrupt(const Lines& lines) {
  return fail(ErrorKind::Corrupt, fmt::format("line {} is not what Waxwing wrote", lines.number() + 1));
}

}  // namespace

std::string format_rotation_file(const RotationFile& file) {
  const RotationState& state = file.state;
  std::string text =
      fmt::format("{}\ndomain {}\ndelegation {}\nsequence {}\nwanted {}\n", kFirstLine, state.domain.str(),
                  or_nothing(state.delegation), state.sequence, state.rotation_wanted ? 1 : 0);
  for (const KeyGeneration& each : state.generations) {
    text += fmt::format("generation {} {} {} {} {} {} {}\n", key_phase_name(each.phase), to_number(each.since),
                        to_number(each.drained.value_or(WallTime{})), to_number(each.withdrawing.value_or(WallTime{})),
                        each.ttl.count(), each.negative_ttl.count(), flags_of(each));
    for (const RotatedKey& key : each.keys)
      text += fmt::format("key {} {} {}\n", key.selector, dkim_key_type_name(key.type), or_nothing(key.record));
  }
  for (const std::string& entry : file.entries) text += "entry " + entry + '\n';
  return text + "end\n";
}

Result<RotationFile> parse_rotation_file(std::string_view text) {
  if (text.size() > kMaxRotationFileOctets) return fail(ErrorKind::Corrupt, "it is longer than any that Waxwing wrote");
  Lines lines(text);
  lines.expect(kFirstLine);
  lines.end_line();
  lines.expect("domain");
  const std::string_view name = lines.word();
  lines.end_line();
  const auto domain = DomainName::parse(name);
  if (lines.failed() || !domain || domain->str() != name) return corrupt(lines);
  RotationFile file{{*domain, "", 0, false, {}}, {}};
  lines.expect("delegation");
  const std::string_view delegation = lines.word();
  if (delegation != kNothing) {
    const auto zone = DomainName::parse(delegation);
    if (!zone || zone->str() != delegation) return corrupt(lines);
    file.state.delegation = delegation;
  }
  lines.end_line();
  lines.expect("sequence");
  file.state.sequence = lines.number_word<std::uint64_t>(1ULL << 53U);
  lines.end_line();
  lines.expect("wanted");
  file.state.rotation_wanted = lines.number_word<std::int64_t>(1) == 1;
  lines.end_line();
  while (lines.take("generation")) read_generation(lines, file.state);
  while (lines.take("entry") && file.entries.size() < kMaxEntries) file.entries.emplace_back(lines.remainder());
  lines.expect("end");
  lines.end_line();
  if (lines.failed() || !lines.at_end()) return corrupt(lines);
  return file;
}

}  // namespace waxwing
