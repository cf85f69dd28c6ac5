#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing {

/// One piece of a macro-string.
struct SpfMacroPart {
  std::string literal;      ///< what stands there when `letter` is 0
  char letter = 0;          ///< macro letter in lower case
  bool url_escape = false;  ///< the letter was in upper case
  bool reverse = false;
  unsigned keep = 0;       ///< right-hand parts to keep; 0: all
  std::string delimiters;  ///< empty: "."
};
using SpfMacroString = std::vector<SpfMacroPart>;

/// Where a macro-string stands; "c", "r" and "t" belong to explanations only.
enum class SpfMacroUse { DomainSpec, Explanation };

/// Reads a macro-string; an explain-string, which may hold spaces, for Explanation.
/// @return  no value: it breaks the grammar
/// @source  RFC 7208 §7.1
[[nodiscard]] std::optional<SpfMacroString> parse_spf_macro_string(std::string_view text, SpfMacroUse use);

/// Reads a domain-spec: a macro-string that ends in a macro or in a dot and a top label.
/// @return  no value: it breaks the grammar
/// @source  RFC 7208 §7.1
[[nodiscard]] std::optional<SpfMacroString> parse_spf_domain_spec(std::string_view text);

/// What the macro letters stand for.
struct SpfMacroValues {
  std::string sender_local;    ///< l
  std::string sender_domain;   ///< o; s is both with "@"
  std::string domain;          ///< d
  std::string dotted_address;  ///< i
  std::string address;         ///< c
  std::string validated_name;  ///< p
  std::string address_family;  ///< v: "in-addr" or "ip6"
  std::string helo;            ///< h
  std::string receiver;        ///< r
  std::string timestamp;       ///< t
};

/// Whether the letter occurs.
[[nodiscard]] bool uses_spf_macro(const SpfMacroString& text, char letter);

/// Puts values in; the result may hold any octets.
/// @limits  stops growing at 64 KiB
/// @source  RFC 7208 §7.3
[[nodiscard]] std::string expand_spf_macros(const SpfMacroString& text, const SpfMacroValues& values);

}  // namespace waxwing
