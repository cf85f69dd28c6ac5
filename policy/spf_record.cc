#include "policy/spf_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "policy/ascii.h"

namespace waxwing {
namespace {

using Mechanism = SpfDirective::Mechanism;

constexpr std::string_view kVersion = "v=spf1";
constexpr std::size_t kMaxShownOctets = 100;

struct MechanismName {
  std::string_view name;
  Mechanism mechanism;
};
constexpr std::array<MechanismName, 8> kMechanisms = {{{"all", Mechanism::All},
                                                       {"include", Mechanism::Include},
                                                       {"a", Mechanism::A},
                                                       {"mx", Mechanism::Mx},
                                                       {"ptr", Mechanism::Ptr},
                                                       {"ip4", Mechanism::Ip4},
                                                       {"ip6", Mechanism::Ip6},
                                                       {"exists", Mechanism::Exists}}};

// Records are hostile: what is not plain is shown as "?".
std::string shown(std::string_view term) {
  std::string text(term.substr(0, kMaxShownOctets));
  std::ranges::replace_if(
      text, [](char c) { return c <= 0x20 || c >= 0x7f; }, '?');
  return text;
}

// "0" or a number without leading zeros, up to `most`.
std::optional<unsigned> parse_prefix_length(std::string_view digits, unsigned most) {
  if (digits.empty() || digits.size() > 3 || !std::ranges::all_of(digits, is_ascii_digit)) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= most ? std::optional(value) : std::nullopt;
}

// Cuts a prefix length with the slashes before it off the end. A "/" that is not followed by digits to the end stays,
// since a domain-spec may hold one.
enum class Cut { None, Done, Wrong };
Cut cut_prefix_length(std::string_view& text, std::string_view slashes, unsigned most, unsigned& length) {
  const std::size_t slash = text.find_last_not_of("0123456789");
  if (slash == std::string_view::npos || text[slash] != '/' || slash + 1 == text.size()) return Cut::None;
  const std::string_view before = text.substr(0, slash + 1);
  if (!before.ends_with(slashes)) return Cut::None;
  const auto parsed = parse_prefix_length(text.substr(slash + 1), most);
  if (!parsed) return Cut::Wrong;
  length = *parsed;
  text = before.substr(0, before.size() - slashes.size());
  return Cut::Done;
}

bool parse_dual_prefix(std::string_view& text, SpfDirective& directive) {
  return cut_prefix_length(text, "//", 128, directive.ip6_prefix) != Cut::Wrong &&
         cut_prefix_length(text, "/", 32, directive.ip4_prefix) != Cut::Wrong;
}

// `text` is what stands behind the name: "" or ":" and a domain-spec.
bool parse_optional_domain(std::string_view text, SpfDirective& directive) {
  if (text.empty()) return true;
  if (!text.starts_with(':')) return false;
  directive.domain = parse_spf_domain_spec(text.substr(1));
  return directive.domain.has_value();
}

bool parse_network(std::string_view text, SpfDirective& directive) {
  const bool is_ip4 = directive.mechanism == Mechanism::Ip4;
  if (!text.starts_with(':')) return false;
  text.remove_prefix(1);
  const Cut cut = cut_prefix_length(text, "/", is_ip4 ? 32 : 128, is_ip4 ? directive.ip4_prefix : directive.ip6_prefix);
  if (cut == Cut::Wrong) return false;
  const auto address = IpAddress::parse(text);
  if (!address || is_ip4 == (text.find(':') != std::string_view::npos)) return false;
  const bool is_mapped = !is_ip4 && address->family() == IpAddress::Family::V4;
  if (!is_mapped) directive.network = *address;
  return true;
}

bool parse_arguments(std::string_view text, SpfDirective& directive) {
  switch (directive.mechanism) {
    case Mechanism::All:
      return text.empty();
    case Mechanism::Include:
    case Mechanism::Exists:
      return !text.empty() && parse_optional_domain(text, directive);
    case Mechanism::A:
    case Mechanism::Mx:
      return parse_dual_prefix(text, directive) && parse_optional_domain(text, directive);
    case Mechanism::Ptr:
      return parse_optional_domain(text, directive);
    case Mechanism::Ip4:
    case Mechanism::Ip6:
      return parse_network(text, directive);
  }
  return false;
}

std::optional<SpfDirective> parse_directive(std::string_view term) {
  SpfDirective directive;
  directive.text = shown(term);
  if (std::string_view("+-?~").find(term.front()) != std::string_view::npos) {
    directive.qualifier = term.front();
    term.remove_prefix(1);
  }
  const std::size_t end = std::min(term.find_first_of(":/"), term.size());
  const auto found = std::ranges::find_if(
      kMechanisms, [&](const MechanismName& known) { return ascii_iequal(known.name, term.substr(0, end)); });
  if (found == kMechanisms.end()) return std::nullopt;
  directive.mechanism = found->mechanism;
  if (!parse_arguments(term.substr(end), directive)) return std::nullopt;
  return directive;
}

// Length of the name of a modifier, 0 when the term is not one.
std::size_t modifier_name_length(std::string_view term) {
  if (!is_ascii_alpha(term.front())) return 0;
  const auto end =
      std::ranges::find_if_not(term, [](char c) { return is_ascii_alnum(c) || c == '-' || c == '_' || c == '.'; });
  const auto length = static_cast<std::size_t>(end - term.begin());
  return end != term.end() && *end == '=' ? length : 0;
}

bool parse_modifier(std::string_view name, std::string_view value, SpfRecord& record) {
  std::optional<SpfMacroString>* slot = ascii_iequal(name, "redirect") ? &record.redirect
                                        : ascii_iequal(name, "exp")    ? &record.explanation
                                                                       : nullptr;
  if (!slot) return parse_spf_macro_string(value, SpfMacroUse::Explanation).has_value();
  if (slot->has_value()) return false;
  *slot = parse_spf_domain_spec(value);
  return slot->has_value();
}

bool parse_term(std::string_view term, SpfRecord& record) {
  if (const std::size_t name = modifier_name_length(term); name > 0) {
    return parse_modifier(term.substr(0, name), term.substr(name + 1), record);
  }
  auto directive = parse_directive(term);
  if (!directive) return false;
  record.directives.push_back(std::move(*directive));
  return true;
}

}  // namespace

bool is_spf_record(std::string_view txt) {
  return ascii_istarts_with(txt, kVersion) && (txt.size() == kVersion.size() || txt[kVersion.size()] == ' ');
}

Result<SpfRecord> SpfRecord::parse(std::string_view txt) {
  SpfRecord record;
  std::string_view rest = txt.substr(std::min(txt.size(), kVersion.size()));
  while (!rest.empty()) {
    const std::string_view term = rest.substr(0, rest.find(' '));
    if (!term.empty() && !parse_term(term, record)) {
      return fail(ErrorKind::Malformed, fmt::format("the SPF record has the wrong term \"{}\"", shown(term)));
    }
    rest.remove_prefix(std::min(term.size() + 1, rest.size()));
  }
  return record;
}

}  // namespace waxwing
