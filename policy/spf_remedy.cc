#include "policy/spf_remedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "policy/ascii.h"
#include "policy/spf_record.h"

namespace waxwing {
namespace {

constexpr std::string_view kVersion = "v=spf1";

std::string term_for(const IpAddress& address) {
  return fmt::format("{}:{}", address.family() == IpAddress::Family::V4 ? "ip4" : "ip6", address.str());
}

bool is_all(std::string_view term) {
  if (!term.empty() && std::string_view("+-~?").find(term.front()) != std::string_view::npos) term.remove_prefix(1);
  return ascii_iequal(term, "all");
}

bool is_modifier(std::string_view term, std::string_view name) {
  return ascii_istarts_with(term, name) && term.substr(name.size()).starts_with('=');
}

/// The terms of one or more records in the order in which they are written: mechanisms, `all`, modifiers.
class Terms {
 public:
  void add(std::string_view term) {
    if (is_all(term)) {
      if (all_.empty()) all_ = term;
    } else if (is_modifier(term, "redirect") || is_modifier(term, "exp")) {
      // Each may stand once.
      const std::string_view name = term.substr(0, term.find('='));
      const bool known = std::ranges::any_of(modifiers_, [&](const std::string& m) { return is_modifier(m, name); });
      if (!known) modifiers_.emplace_back(term);
    } else if (std::ranges::find(mechanisms_, term) == mechanisms_.end()) {
      mechanisms_.emplace_back(term);
    }
  }

  void add_record(std::string_view record) {
    record.remove_prefix(std::min(record.size(), kVersion.size()));
    while (!record.empty()) {
      const std::string_view term = record.substr(0, record.find(' '));
      if (!term.empty()) add(term);
      record.remove_prefix(std::min(record.size(), term.size() + 1));
    }
  }

  [[nodiscard]] std::string str() const {
    std::string text(kVersion);
    for (const std::string& mechanism : mechanisms_) text += " " + mechanism;
    if (!all_.empty()) text += " " + all_;
    for (const std::string& modifier : modifiers_) {
      // RFC 7208 §6.1: with `all`, redirect= is ignored; of two records merged one may have each.
      if (all_.empty() || !is_modifier(modifier, "redirect")) text += " " + modifier;
    }
    return text;
  }

 private:
  std::vector<std::string> mechanisms_;
  std::string all_;
  std::vector<std::string> modifiers_;
};

}  // namespace

Result<std::string> spf_record_with(std::span<const std::string> published, std::span<const IpAddress> missing) {
  Terms terms;
  for (const IpAddress& address : missing) terms.add(term_for(address));
  bool is_new = true;
  for (const std::string& txt : published) {
    if (!is_spf_record(txt)) continue;
    const auto record = SpfRecord::parse(txt);
    if (!record) return tl::unexpected(record.error());
    terms.add_record(txt);
    is_new = false;
  }
  if (is_new) terms.add("-all");
  return terms.str();
}

}  // namespace waxwing
