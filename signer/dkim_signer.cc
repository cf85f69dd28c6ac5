#include "signer/dkim_signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "signer/folded_line.h"

namespace waxwing {
namespace {

void add_times(const DkimSigningOptions& options, FoldedLine& line) {
  const auto now = std::chrono::floor<Seconds>(options.now.time_since_epoch());
  assert(now.count() >= 0 && options.lifetime.count() >= 0);
  line.add_word(fmt::format("t={};", now.count()));
  if (options.lifetime.count() > 0) line.add_word(fmt::format("x={};", (now + options.lifetime).count()));
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

Result<SignedHeader> choose_signed_header(std::span<const HeaderField> header, const DkimSigningOptions& options) {
  if (std::none_of(header.begin(), header.end(), [](const HeaderField& field) { return field.is("From"); })) {
    return fail(ErrorKind::Malformed, "a message without a From field cannot be signed");
  }
  auto fields = choose_fields(header, options.oversigned_fields, options.signed_fields);
  if (!fields) return tl::unexpected(fields.error());
  SignedHeader chosen{std::move(*fields), {}};
  append_chosen_fields(chosen.fields, options.header_canonicalization, chosen.canonical);
  return chosen;
}

DkimSignatureDraft prepare_dkim_signature(const SignedHeader& header, std::string_view body_hash,
                                          const DomainName& domain, std::string_view selector, DkimKeyType type,
                                          const DkimSigningOptions& options) {
  FoldedLine line("DKIM-Signature: v=1;");
  line.add_word(fmt::format("a={}-sha256;", dkim_key_type_name(type)));
  line.add_word(fmt::format("c={}/{};", canonicalization_name(options.header_canonicalization),
                            canonicalization_name(options.body_canonicalization)));
  line.add_word(fmt::format("d={};", domain.str()));
  line.add_word(fmt::format("s={};", selector));
  add_times(options, line);
  add_field_names(header.fields, line);
  line.add_word(fmt::format("bh={};", encode_base64(body_hash)));
  line.add_word("b=");

  DkimSignatureDraft draft{header.canonical, line.text()};
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
  if (keys.empty()) return std::string();
  const auto chosen = choose_signed_header(header, options);
  if (!chosen) return tl::unexpected(chosen.error());
  std::vector<DkimSignatureDraft> drafts;
  for (const StoredKey& key : keys)
    drafts.push_back(prepare_dkim_signature(*chosen, body_hash, key.domain, key.selector, key.key->type(), options));
  std::vector<SignatureTask> tasks;
  for (std::size_t i = 0; i < keys.size(); ++i) tasks.push_back({keys[i].key.get(), drafts[i].octets_to_sign});
  const auto signatures = keys.front().key->sign_together(options.tenant, tasks);
  if (!signatures) return tl::unexpected(signatures.error());
  std::string fields;
  for (std::size_t i = 0; i < keys.size(); ++i) fields += complete_dkim_signature(drafts[i], signatures->at(i));
  return fields;
}

}  // namespace waxwing
