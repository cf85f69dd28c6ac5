#include "signer/field_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

bool is_field_name(std::string_view name) {
  // No semicolon: it would end the h= tag (RFC 6376 §3.5, h=).
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != ':' && c != ';'; });
}

bool contains(const std::vector<std::string>& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return ascii_iequal(name, wanted); });
}

enum class Oversigning { Off, On };

/// Verifiers take instances of a name from the bottom up (RFC 6376 §5.4.2).
class FieldChoice {
 public:
  explicit FieldChoice(std::span<const HeaderField> header) : header_(header) {}

  void add(std::string_view name, Oversigning oversigning) {
    const bool taken = std::any_of(chosen_.begin(), chosen_.end(),
                                   [&](const ChosenField& chosen) { return ascii_iequal(chosen.name, name); });
    if (taken) return;
    for (auto field = header_.rbegin(); field != header_.rend(); ++field) {
      if (field->is(name)) chosen_.push_back({name, &*field});
    }
    if (oversigning == Oversigning::On) chosen_.push_back({name, nullptr});
  }

  [[nodiscard]] const std::vector<ChosenField>& chosen() const { return chosen_; }

 private:
  std::span<const HeaderField> header_;
  std::vector<ChosenField> chosen_;
};

}  // namespace

Result<std::vector<ChosenField>> choose_fields(std::span<const HeaderField> header,
                                               const std::vector<std::string>& oversigned_fields,
                                               const std::vector<std::string>& signed_fields) {
  FieldChoice choice(header);
  for (const auto* names : {&oversigned_fields, &signed_fields}) {
    const auto wrong = std::find_if_not(names->begin(), names->end(), is_field_name);
    if (wrong != names->end())
      return fail(ErrorKind::Malformed, fmt::format("'{}' is not the name of a header field to sign", *wrong));
  }
  const bool from_named = contains(oversigned_fields, "From") || contains(signed_fields, "From");
  if (!from_named) choice.add("From", Oversigning::Off);
  for (const std::string& name : oversigned_fields) choice.add(name, Oversigning::On);
  for (const std::string& name : signed_fields) choice.add(name, Oversigning::Off);
  return choice.chosen();
}

void append_chosen_fields(std::span<const ChosenField> fields, Canonicalization canonicalization, std::string& out) {
  for (const ChosenField& chosen : fields) {
    if (chosen.field != nullptr) append_canonical_field(chosen.field->raw, canonicalization, out);
  }
}

void add_field_names(std::span<const ChosenField> fields, FoldedLine& line) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::string part(i == 0 ? "h=" : "");
    part += fields[i].name;
    part += i + 1 < fields.size() ? ':' : ';';
    i == 0 ? line.add_word(part) : line.add_joined(part);
  }
}

}  // namespace waxwing
