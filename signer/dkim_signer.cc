#include "signer/dkim_signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "signer/folded_line.h"

namespace waxwing {
namespace {

struct ChosenField {
  std::string_view name;     ///< as it goes into h=
  const HeaderField* field;  ///< null: signed as absent
};

bool is_field_name(std::string_view name) {
  // No semicolon: it would end the h= tag (RFC 6376 §3.5, h=).
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != ':' && c != ';'; });
}

bool contains(const std::vector<std::string>& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return ascii_iequal(name, wanted); });
}

enum class Oversigning { Off, On };

/// Picks fields and absences in the order of h=. Verifiers take instances of a name from the bottom up (RFC 6376
/// §5.4.2).
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

Result<std::vector<ChosenField>> choose_fields(std::span<const HeaderField> header, const DkimSigningOptions& options) {
  FieldChoice choice(header);
  for (const auto* names : {&options.oversigned_fields, &options.signed_fields}) {
    const auto wrong = std::find_if_not(names->begin(), names->end(), is_field_name);
    if (wrong != names->end())
      return fail(ErrorKind::Malformed, fmt::format("'{}' is not the name of a header field to sign", *wrong));
  }
  const bool from_named = contains(options.oversigned_fields, "From") || contains(options.signed_fields, "From");
  if (!from_named) choice.add("From", Oversigning::Off);
  for (const std::string& name : options.oversigned_fields) choice.add(name, Oversigning::On);
  for (const std::string& name : options.signed_fields) choice.add(name, Oversigning::Off);
  return choice.chosen();
}

void add_times(const DkimSigningOptions& options, FoldedLine& line) {
  const auto now = std::chrono::floor<Seconds>(options.now.time_since_epoch());
  assert(now.count() >= 0 && options.lifetime.count() >= 0);
  line.add_word(fmt::format("t={};", now.count()));
  if (options.lifetime.count() > 0) line.add_word(fmt::format("x={};", (now + options.lifetime).count()));
}

void add_names(const std::vector<ChosenField>& fields, FoldedLine& line) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const char* const separator = i + 1 < fields.size() ? ":" : ";";
    if (i == 0) {
      line.add_word(fmt::format("h={}{}", fields[i].name, separator));
    } else {
      line.add_joined(fmt::format("{}{}", fields[i].name, separator));
    }
  }
}

}  // namespace

std::vector<std::string> default_oversigned_fields() {
  return {"From",
          "To",
          "Cc",
          "Subject",
          "Date",
          "Message-ID",
          "Reply-To",
          "Sender",
          "In-Reply-To",
          "References",
          "MIME-Version",
          "Content-Type",
          "Content-Transfer-Encoding",
          "List-Id",
          "List-Help",
          "List-Unsubscribe",
          "List-Unsubscribe-Post",
          "List-Subscribe",
          "List-Post",
          "List-Owner",
          "List-Archive"};
}

std::vector<std::string> default_signed_fields() {
  return {"Resent-Date",       "Resent-From", "Resent-Sender",       "Resent-To",           "Resent-Cc",
          "Resent-Message-ID", "Content-ID",  "Content-Description", "Content-Disposition", "Content-Language"};
}

Result<DkimSignatureDraft> prepare_dkim_signature(std::span<const HeaderField> header, std::string_view body_hash,
                                                  const DomainName& domain, std::string_view selector, DkimKeyType type,
                                                  const DkimSigningOptions& options) {
  if (std::none_of(header.begin(), header.end(), [](const HeaderField& field) { return field.is("From"); })) {
    return fail(ErrorKind::Malformed, "a message without a From field cannot be signed");
  }
  const auto fields = choose_fields(header, options);
  if (!fields) return tl::unexpected(fields.error());

  FoldedLine line("DKIM-Signature: v=1;");
  line.add_word(fmt::format("a={}-sha256;", dkim_key_type_name(type)));
  line.add_word(fmt::format("c={}/{};", canonicalization_name(options.header_canonicalization),
                            canonicalization_name(options.body_canonicalization)));
  line.add_word(fmt::format("d={};", domain.str()));
  line.add_word(fmt::format("s={};", selector));
  add_times(options, line);
  add_names(*fields, line);
  line.add_word(fmt::format("bh={};", encode_base64(body_hash)));
  line.add_word("b=");

  DkimSignatureDraft draft{{}, line.text()};
  for (const ChosenField& chosen : *fields) {
    if (chosen.field != nullptr) {
      append_canonical_field(chosen.field->raw, options.header_canonicalization, draft.octets_to_sign);
    }
  }
  append_canonical_field(draft.field, options.header_canonicalization, draft.octets_to_sign);
  draft.octets_to_sign.resize(draft.octets_to_sign.size() - std::string_view("\r\n").size());  // RFC 6376 §3.7
  return draft;
}

std::string complete_dkim_signature(const DkimSignatureDraft& draft, std::string_view signature) {
  FoldedLine line(draft.field);
  line.add_cuttable(encode_base64(signature));
  return line.text() + "\r\n";
}

Result<std::string> sign_message(std::span<const HeaderField> header, std::string_view body_hash,
                                 std::span<const StoredKey> keys, const DkimSigningOptions& options) {
  std::string fields;
  for (const StoredKey& key : keys) {
    const auto draft = prepare_dkim_signature(header, body_hash, key.domain, key.selector, key.key->type(), options);
    if (!draft) return tl::unexpected(draft.error());
    const auto signature = key.key->sign(draft->octets_to_sign);
    if (!signature) return tl::unexpected(signature.error());
    fields += complete_dkim_signature(*draft, *signature);
  }
  return fields;
}

}  // namespace waxwing
