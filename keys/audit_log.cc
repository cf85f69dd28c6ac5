#include "keys/audit_log.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>
#include <optional>

namespace waxwing {
namespace {

constexpr std::size_t kFields = 9;
constexpr std::size_t kDigestOctets = 16;

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text.substr(0, kMaxEvidenceOctets)) {
    if (c >= ' ' && c <= '~' && c != '\\')
      escaped += c;
    else
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return escaped;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < ' ' || text[i] > '~') return std::nullopt;
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    unsigned octet = 0;
    const std::string_view code = text.substr(i, 4);
    if (code.size() < 4 || code[1] != 'x') return std::nullopt;
    const auto [end, error] = std::from_chars(code.data() + 2, code.data() + 4, octet, 16);
    if (error != std::errc() || end != code.data() + 4) return std::nullopt;
    plain += static_cast<char>(octet);
    i += 3;
  }
  return plain;
}

std::string_view digest_of(std::string_view line) {
  const std::size_t tab = line.rfind('\t');
  return tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
}

std::string digest(std::string_view previous, std::string_view fields) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> octets;
  SHA256_CTX context;
  SHA256_Init(&context);
  const std::string_view before = digest_of(previous);
  SHA256_Update(&context, before.data(), before.size());
  SHA256_Update(&context, fields.data(), fields.size());
  SHA256_Final(octets.data(), &context);
  std::string text;
  for (std::size_t i = 0; i < kDigestOctets; ++i) text += fmt::format("{:02x}", octets[i]);
  return text;
}

std::optional<std::vector<std::string>> split(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const std::size_t tab = line.find('\t');
    auto field = unescape(line.substr(0, tab));
    if (!field || fields.size() == kFields) return std::nullopt;
    fields.push_back(std::move(*field));
    if (tab == std::string_view::npos) break;
    line.remove_prefix(tab + 1);
  }
  if (fields.size() != kFields) return std::nullopt;
  return fields;
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text == fmt::to_string(value);
}

}  // namespace

std::string format_audit_line(const AuditEntry& entry, std::string_view previous) {
  const KeyTransition& transition = entry.transition;
  const std::string fields =
      fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", entry.sequence, entry.at.time_since_epoch().count(),
                  escape(entry.who), escape(transition.selector), key_phase_name(transition.from),
                  key_phase_name(transition.to), escape(transition.why), escape(transition.evidence));
  return fields + '\t' + digest(previous, fields);
}

Result<AuditEntry> parse_audit_line(std::string_view line, std::string_view previous) {
  const auto corrupt = [] { return fail(ErrorKind::Corrupt, "a line of the audit log is not what Waxwing wrote"); };
  const auto fields = split(line);
  if (!fields) return corrupt();
  AuditEntry entry;
  std::int64_t at = 0;
  const auto from = parse_key_phase((*fields)[4]);
  const auto to = parse_key_phase((*fields)[5]);
  if (!read_number((*fields)[0], entry.sequence) || !read_number((*fields)[1], at) || !from || !to) return corrupt();
  entry.at = WallTime(Milliseconds(at));
  entry.who = (*fields)[2];
  entry.transition = {(*fields)[3], *from, *to, (*fields)[6], (*fields)[7]};
  if (digest(previous, line.substr(0, line.rfind('\t'))) != digest_of(line)) {
    return fail(ErrorKind::Corrupt,
                fmt::format("entry {} of the audit log, or the one before it, was changed or taken out after it had "
                            "been written",
                            entry.sequence));
  }
  return entry;
}

std::uint64_t audit_sequence(std::string_view line) {
  std::uint64_t sequence = 0;
  if (!read_number(line.substr(0, line.find('\t')), sequence)) return 0;
  return sequence;
}

}  // namespace waxwing
