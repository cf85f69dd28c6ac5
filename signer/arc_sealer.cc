#include "signer/arc_sealer.h"

#include <fmt/format.h>

#include <cassert>

#include "policy/base64.h"
#include "signer/dkim_signer.h"
#include "signer/field_choice.h"
#include "signer/folded_line.h"

namespace waxwing {
namespace {

constexpr std::string_view kSignatureStart = "ARC-Message-Signature:";
constexpr std::string_view kSealStart = "ARC-Seal:";
constexpr std::string_view kEmptySignature = "b=";
constexpr std::size_t kMaxJoinedNames = 900;  ///< a line has at most 998 octets (RFC 5322 §2.1.1)

/// Folds stand between tags only, so that the relaxed canonical form, which the next seal covers, is the same whoever
/// unfolds it. The tags come in alphabetical order, as in the published signing vectors for ARC.
std::string compose_field(std::string_view start, const std::vector<std::string>& tags, std::string_view signature) {
  FoldedLine line(start);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string value = tags[i] == kEmptySignature ? tags[i] + encode_base64(signature) : tags[i];
    line.add_word(i + 1 < tags.size() ? value + ";" : value);
  }
  return line.text();
}

/// h= in one word; a list that no line holds is folded at its colons.
std::string names_of(const std::vector<ChosenField>& fields) {
  std::string names = "h=";
  std::size_t column = names.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (column + fields[i].name.size() > kMaxJoinedNames) {
      names += "\r\n ";
      column = 1;
    }
    names += fields[i].name;
    if (i + 1 < fields.size()) names += ':';
    column += fields[i].name.size() + 1;
  }
  return names;
}

void append_without_line_end(std::string_view field, std::string& out) {
  append_canonical_field(field, Canonicalization::Relaxed, out);
  out.resize(out.size() - std::string_view("\r\n").size());
}

std::string compose_results(unsigned instance, const AuthenticationResults& results) {
  FoldedLine line(fmt::format("ARC-Authentication-Results: i={};", instance));
  results.write(line);
  return line.text() + "\r\n";
}

}  // namespace

std::vector<std::string> ArcSealingOptions::default_arc_oversigned_fields() {
  return default_oversigned_fields();
}

std::vector<std::string> ArcSealingOptions::default_arc_signed_fields() {
  auto names = default_signed_fields();
  names.emplace_back("DKIM-Signature");
  return names;
}

Result<ArcSetDraft> ArcSetDraft::begin(std::span<const HeaderField> header, std::string_view body_hash,
                                       const ArcVerdict& chain, const AuthenticationResults& results,
                                       const DomainName& domain, std::string_view selector, DkimKeyType type,
                                       const ArcSealingOptions& options) {
  if (chain.closed) return fail(ErrorKind::Denied, "the ARC chain was found broken before, nothing may be added to it");
  if (chain.instances >= kMaxArcInstance)
    return fail(ErrorKind::Denied, fmt::format("the ARC chain has {} sets already", kMaxArcInstance));
  const auto fields = choose_fields(header, options.oversigned_fields, options.signed_fields);
  if (!fields) return tl::unexpected(fields.error());

  const unsigned instance = chain.instances + 1;
  const auto seconds = std::chrono::floor<Seconds>(options.now.time_since_epoch()).count();
  assert(seconds >= 0);
  const std::string algorithm = fmt::format("a={}-sha256", dkim_key_type_name(type));
  const std::string at_domain = fmt::format("d={}", domain.str());
  const std::string at_instance = fmt::format("i={}", instance);
  const std::string at_selector = fmt::format("s={}", selector);
  const std::string at_time = fmt::format("t={}", seconds);

  ArcSetDraft draft;
  draft.results_ = compose_results(instance, results);
  draft.message_tags_ = {algorithm,
                         std::string(kEmptySignature),
                         "bh=" + encode_base64(body_hash),
                         "c=relaxed/relaxed",
                         at_domain,
                         names_of(*fields),
                         at_instance,
                         at_selector,
                         at_time};
  draft.seal_tags_ = {algorithm,
                      std::string(kEmptySignature),
                      fmt::format("cv={}", arc_result_name(chain.result)),
                      at_domain,
                      at_instance,
                      at_selector,
                      at_time};
  append_chosen_fields(*fields, Canonicalization::Relaxed, draft.message_octets_);
  append_without_line_end(compose_field(kSignatureStart, draft.message_tags_, ""), draft.message_octets_);
  if (chain.result == ArcResult::Pass) {
    for (const ArcSet& set : collect_arc_sets(header)) {
      append_sealed_fields(set, draft.earlier_sets_);
      append_canonical_field(set.seal->raw, Canonicalization::Relaxed, draft.earlier_sets_);
    }
  }
  return draft;
}

std::string ArcSetDraft::seal_octets(std::string_view message_signature) {
  signature_ = compose_field(kSignatureStart, message_tags_, message_signature) + "\r\n";
  std::string octets = earlier_sets_;
  append_canonical_field(results_, Canonicalization::Relaxed, octets);
  append_canonical_field(signature_, Canonicalization::Relaxed, octets);
  append_without_line_end(compose_field(kSealStart, seal_tags_, ""), octets);
  return octets;
}

std::string ArcSetDraft::complete(std::string_view seal_signature) const {
  return compose_field(kSealStart, seal_tags_, seal_signature) + "\r\n" + signature_ + results_;
}

Result<std::string> seal_message(std::span<const HeaderField> header, std::string_view body_hash,
                                 const ArcVerdict& chain, const AuthenticationResults& results, const StoredKey& key,
                                 const ArcSealingOptions& options) {
  if (chain.closed) return std::string();
  auto draft =
      ArcSetDraft::begin(header, body_hash, chain, results, key.domain, key.selector, key.key->type(), options);
  if (!draft) return tl::unexpected(draft.error());
  const auto message_signature = key.key->sign_for(options.tenant, draft->message_octets());
  if (!message_signature) return tl::unexpected(message_signature.error());
  const auto seal_signature = key.key->sign_for(options.tenant, draft->seal_octets(*message_signature));
  if (!seal_signature) return tl::unexpected(seal_signature.error());
  return draft->complete(*seal_signature);
}

}  // namespace waxwing
