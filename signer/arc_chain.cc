#include "signer/arc_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "policy/ascii.h"
#include "policy/folding_space.h"
#include "policy/tag_list.h"
#include "signer/dkim_verifier.h"
#include "signer/published_key.h"

namespace waxwing {
namespace {

constexpr std::string_view kResults = "ARC-Authentication-Results";
constexpr std::string_view kSignature = "ARC-Message-Signature";
constexpr std::string_view kSeal = "ARC-Seal";

/// An instance from 1 to kMaxArcInstance, 0 when it is none.
unsigned parse_instance(std::string_view text) {
  unsigned instance = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), instance);
  if (text.size() > 2 || error != std::errc() || end != text.data() + text.size()) return 0;
  return instance <= kMaxArcInstance ? instance : 0;
}

/// i= stands at the front of ARC-Authentication-Results, which is no tag list otherwise (RFC 8617 §4.1.1).
unsigned instance_of_results(std::string_view value) {
  const std::string_view front = value.substr(0, value.find(';'));
  const std::size_t equals = front.find('=');
  if (front.size() == value.size() || equals == std::string_view::npos) return 0;
  if (without_folding_space(front.substr(0, equals)) != "i") return 0;
  return parse_instance(without_folding_space(front.substr(equals + 1)));
}

unsigned instance_of_tags(std::string_view value) {
  const auto tags = TagList::parse(value);
  const TagList::Tag* tag = tags ? tags->find("i") : nullptr;
  return tag ? parse_instance(tag->value) : 0;
}

/// The place in a set for a field, and its instance; a null member for a field that is not of ARC.
struct Place {
  const HeaderField* ArcSet::*member = nullptr;
  unsigned instance = 0;
};

Place place_of(const HeaderField& field) {
  if (field.is(kResults)) return {&ArcSet::results, instance_of_results(field.value)};
  if (field.is(kSignature)) return {&ArcSet::signature, instance_of_tags(field.value)};
  if (field.is(kSeal)) return {&ArcSet::seal, instance_of_tags(field.value)};
  return {};
}

std::string printable_name(const HeaderField& field) {
  return field.is(kResults)     ? std::string(kResults)
         : field.is(kSignature) ? std::string(kSignature)
                                : std::string(kSeal);
}

}  // namespace

std::string_view arc_result_name(ArcResult result) {
  switch (result) {
    case ArcResult::None:
      return "none";
    case ArcResult::Pass:
      return "pass";
    case ArcResult::Fail:
      break;
  }
  return "fail";
}

std::vector<ArcSet> collect_arc_sets(std::span<const HeaderField> header) {
  std::vector<ArcSet> sets;
  for (const HeaderField& field : header) {
    const Place place = place_of(field);
    if (place.instance == 0) continue;
    if (sets.size() < place.instance) sets.resize(place.instance);
    const HeaderField*& slot = sets[place.instance - 1].*place.member;
    if (slot == nullptr) slot = &field;
  }
  return sets;
}

void append_sealed_fields(const ArcSet& set, std::string& out) {
  for (const HeaderField* field : {set.results, set.signature}) {
    if (field != nullptr) append_canonical_field(field->raw, Canonicalization::Relaxed, out);
  }
}

ArcChain::ArcChain(std::span<const HeaderField> header, BodyDigests& digests) : fields_(header), digests_(digests) {
  collect(header);
  for (Link& link : links_) read(link);
}

void ArcChain::note_fault(std::string detail) {
  if (fault_.empty()) fault_ = std::move(detail);
}

void ArcChain::collect(std::span<const HeaderField> header) {
  for (const HeaderField& field : header) {
    const Place place = place_of(field);
    if (place.member == nullptr) continue;
    found_ = true;
    if (place.instance == 0) {
      note_fault(fmt::format("{} has no instance from 1 to {}", printable_name(field), kMaxArcInstance));
      continue;
    }
    if (links_.size() < place.instance) links_.resize(place.instance);
    const HeaderField*& slot = links_[place.instance - 1].set.*place.member;
    if (slot != nullptr)
      note_fault(fmt::format("{} of instance {} occurs twice", printable_name(field), place.instance));
    slot = &field;
  }
}

void ArcChain::read(Link& link) {
  if (link.set.signature != nullptr) {
    const auto tags = TagList::parse(link.set.signature->value).value();  // collect() has read it
    link.signature_fault = read_dkim_signature(tags, SignatureField::ArcMessage, link.signature);
    if (!link.signature_fault)
      link.digest = digests_.request(link.signature.body_canonicalization, link.signature.body_length);
  }
  if (link.set.seal != nullptr) read_seal(link);
}

void ArcChain::read_seal(Link& link) {
  const auto tags = TagList::parse(link.set.seal->value).value();  // collect() has read it
  const TagList::Tag* status = tags.find("cv");
  if (status) link.status = status->value;
  link.seal_fault = read_dkim_signature(tags, SignatureField::ArcSeal, link.seal);
  // RFC 8617 §4.1.3: h= in a seal means that the chain has failed.
  if (tags.find("h")) link.seal_fault = {DkimResult::PermError, "it has h="};
}

std::string ArcChain::find_structural_fault() const {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    const std::string_view wanted = i == 0 ? "none" : "pass";
    if (link.set.results == nullptr) return fmt::format("{} of instance {} is missing", kResults, i + 1);
    if (link.set.signature == nullptr) return fmt::format("{} of instance {} is missing", kSignature, i + 1);
    if (link.set.seal == nullptr) return fmt::format("{} of instance {} is missing", kSeal, i + 1);
    if (link.status != wanted) return fmt::format("{} of instance {} does not say cv={}", kSeal, i + 1, wanted);
    if (link.seal_fault) return fmt::format("{} of instance {}: {}", kSeal, i + 1, link.seal_fault->detail);
  }
  return "";
}

/// Notes all keys at once, so that they are asked for in one round.
bool ArcChain::ask_keys(Answers& answers) const {
  bool complete = true;
  for (const Link& link : links_) {
    complete = answers.find(key_question(link.seal)) != nullptr && complete;
    if (!link.signature_fault) complete = answers.find(key_question(link.signature)) != nullptr && complete;
  }
  return complete;
}

std::optional<SignatureFault> ArcChain::check_message_signature(const Link& link, Answers& answers,
                                                                WallTime now) const {
  if (link.signature_fault) return link.signature_fault;
  if (auto fault = check_expiry(link.signature, now)) return fault;
  if (auto fault = check_body(link.signature, digests_.digest(link.digest))) return fault;
  const Answer& key = *answers.find(key_question(link.signature));
  const std::string octets = signed_header_octets(fields_, *link.set.signature, link.signature);
  return verify_with_published_key(key, link.signature, octets).fault;
}

unsigned ArcChain::find_oldest_pass(Answers& answers, WallTime now) const {
  for (std::size_t instance = links_.size() - 1; instance > 0; --instance) {
    if (check_message_signature(links_[instance - 1], answers, now)) return static_cast<unsigned>(instance + 1);
  }
  return 0;
}

/// From the first set on, since each seal covers all before it; the RFC goes the other way, to the same verdict.
void ArcChain::check_seals(Answers& answers, WallTime now, ArcVerdict& verdict) const {
  std::string octets;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    append_sealed_fields(link.set, octets);
    const std::size_t before_seal = octets.size();
    append_unsigned_field(*link.set.seal, link.seal, Canonicalization::Relaxed, octets);
    auto fault = check_expiry(link.seal, now);
    if (!fault) fault = verify_with_published_key(*answers.find(key_question(link.seal)), link.seal, octets).fault;
    if (fault) {
      verdict.result = ArcResult::Fail;
      verdict.detail = fmt::format("{} of instance {}: {}", kSeal, i + 1, fault->detail);
      verdict.temporary = fault->result == DkimResult::TempError;
      return;
    }
    octets.resize(before_seal);
    append_canonical_field(link.set.seal->raw, Canonicalization::Relaxed, octets);
  }
}

std::optional<ArcVerdict> ArcChain::validate(Answers& answers, WallTime now) const {
  ArcVerdict verdict;
  if (!found_) return verdict;
  verdict.result = ArcResult::Fail;
  verdict.instances = static_cast<unsigned>(links_.size());
  if (!links_.empty()) {
    verdict.closed = links_.back().status == "fail";
    verdict.sealer = links_.back().seal.domain;
  }
  verdict.detail = verdict.closed ? "an earlier host found the chain broken" : fault_;
  if (verdict.detail.empty()) verdict.detail = find_structural_fault();
  if (!verdict.detail.empty()) return verdict;

  if (!ask_keys(answers)) return std::nullopt;
  if (auto fault = check_message_signature(links_.back(), answers, now)) {
    verdict.detail = fmt::format("{} of instance {}: {}", kSignature, links_.size(), fault->detail);
    verdict.temporary = fault->result == DkimResult::TempError;
    return verdict;
  }
  verdict.oldest_pass = find_oldest_pass(answers, now);
  verdict.result = ArcResult::Pass;
  check_seals(answers, now, verdict);
  return verdict;
}

}  // namespace waxwing
