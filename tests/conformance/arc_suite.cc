#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "policy/tag_list.h"
#include "signer/arc_sealer.h"
#include "signer/body_hasher.h"
#include "signer/message_reader.h"
#include "tests/conformance/key_dns.h"
#include "tests/conformance/suites.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

ArcVerdict validate(const std::string& message, testing::ScriptedDns dns, WallTime now) {
  MessageReader reader;
  const auto body = reader.read(message);
  if (!body) return {.result = ArcResult::Fail, .detail = body.error().detail, .sealer = ""};
  if (auto finished = reader.finish(); !finished) {
    return {.result = ArcResult::Fail, .detail = finished.error().detail, .sealer = ""};
  }
  BodyDigests digests;
  ArcChain chain(reader.fields(), digests);
  digests.update(*body);
  digests.finish();
  return dns.resolve([&](Answers& answers) { return chain.validate(answers, now); });
}

Verdict check_chain(const json& entry, const Document& document) {
  const ArcVerdict verdict = validate(message_of(entry, document), key_dns(entry, document), time_of(entry));
  const std::string result(arc_result_name(verdict.result));
  const std::vector<std::string> acceptable = texts_at(entry.at("expect"), "result");
  if (acceptable.empty()) return not_scored("the suite expects nothing; " + result);
  return {.good = std::ranges::find(acceptable, result) != acceptable.end(),
          .expected = listed(acceptable),
          .got = fmt::format("{} ({})", result, verdict.detail)};
}

// Cases of sealing. The upstream's signers write one canonical form, tags in order of their names; a signer with
// another order cannot reproduce b=. So what the signatures are made from is compared, and that both the expected set
// and ours validate on top of the message.

std::string tag_of(std::string_view value, std::string_view name) {
  const auto tags = TagList::parse(value);
  const TagList::Tag* tag = tags ? tags->find(name) : nullptr;
  std::string text = tag ? tag->value : "";
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

// "i=1; lists.example.org; arc=none …" read and written anew, so that folding and comments do not matter.
std::string results_of(std::string_view value) {
  const std::string instance(value.substr(0, value.find(';')));
  const auto results = AuthenticationResults::parse(value.substr(std::min(instance.size() + 1, value.size())));
  if (!results) return results.error().detail;
  std::string text = fmt::format("{} {}", tag_of(instance, "i"), results->authserv_id);
  for (const auto& method : results->methods) {
    text += fmt::format("; {}={}", method.method, method.result);
    for (const auto& property : method.properties) {
      text += fmt::format(" {}.{}={}", property.ptype, property.property, property.value);
    }
  }
  return text;
}

struct SetText {
  std::string results, signature, seal;
};

// In one line, the parts of a set that do not depend on the order of tags.
std::string essence(const SetText& set) {
  std::string text = results_of(set.results) + " | AMS";
  for (const char* tag : {"a", "bh", "c", "d", "h", "i", "s", "t"}) {
    text += fmt::format(" {}={}", tag, tag_of(set.signature, tag));
  }
  text += " | AS";
  for (const char* tag : {"a", "cv", "d", "h", "i", "s", "t"})
    text += fmt::format(" {}={}", tag, tag_of(set.seal, tag));
  return text;
}

// A value of the suite as a header holds it. The suite breaks lines behind ";", where a space is meant, and inside b=,
// where nothing is.
std::string unfolded(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      if (text.ends_with(';')) text += ' ';
    } else if (c != '\r') {
      text += c;
    }
  }
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

struct Message {
  explicit Message(std::string octets) : text(std::move(octets)) {
    body = reader.read(text).value();
    if (!reader.finish()) throw std::runtime_error("the header of the message cannot be read");
  }
  std::string text;
  MessageReader reader;
  std::string_view body;
};

Result<std::string> seal(const json& entry, const Message& message, const ArcVerdict& chain) {
  auto key = SigningKey::from_pem(entry.at("private_key").get<std::string>());
  if (!key) return tl::unexpected(key.error());
  const StoredKey stored{.domain = DomainName::parse(text_at(entry, "domain")).value(),
                         .selector = text_at(entry, "selector"),
                         .key = std::make_shared<const SigningKey>(std::move(*key)),
                         .created = {}};
  BodyHasher hasher(Canonicalization::Relaxed);
  hasher.update(message.body);
  ArcSealingOptions options;
  options.oversigned_fields.clear();
  options.signed_fields = split_colon_list(text_at(entry, "sig_headers"));
  options.now = time_at(entry, "t");
  const auto results = merge_results(message.reader.fields(), text_at(entry, "srv_id"));
  return seal_message(message.reader.fields(), hasher.finish(), chain, results, stored, options);
}

SetText set_in(const std::string& fields) {
  SetText set;
  const auto header = parse_header_block(fields);
  for (const HeaderField& field : header.value()) {
    if (field.is("ARC-Authentication-Results")) set.results = field.value;
    if (field.is("ARC-Message-Signature")) set.signature = field.value;
    if (field.is("ARC-Seal")) set.seal = field.value;
  }
  return set;
}

Verdict check_sealing(const json& entry, const Document& document) {
  const Message message(message_of(entry, document));
  const WallTime now = time_at(entry, "t");
  const ArcVerdict chain = validate(message.text, key_dns(entry, document), now);
  const auto sealed = seal(entry, message, chain);
  if (!sealed) return {.expected = "a set", .got = sealed.error().detail};
  const SetText expected{text_at(entry, "AAR"), text_at(entry, "AMS"), text_at(entry, "AS")};
  if (expected.seal.empty() || sealed->empty())
    return same(expected.seal.empty() ? "no set" : "a set", sealed->empty() ? "no set" : "a set");
  Verdict verdict = same(essence(expected), essence(set_in(*sealed)));
  if (!verdict.good) return verdict;
  const std::string theirs =
      fmt::format("ARC-Seal: {}\r\nARC-Message-Signature: {}\r\nARC-Authentication-Results: {}\r\n",
                  unfolded(expected.seal), unfolded(expected.signature), unfolded(expected.results));
  // A seal that says cv=fail closes the chain, so that it cannot validate.
  const std::string wanted = tag_of(expected.seal, "cv") == "fail" ? "fail" : "pass";
  const auto validated = [&](const std::string& fields) {
    return std::string(arc_result_name(validate(fields + message.text, key_dns(entry, document), now).result));
  };
  verdict = same(fmt::format("ours validates: {0}, theirs: {0}", wanted),
                 fmt::format("ours validates: {}, theirs: {}", validated(*sealed), validated(theirs)));
  const SetText ours = set_in(*sealed);
  if (tag_of(ours.signature, "b") != tag_of(expected.signature, "b")) verdict.remark = "b= of the message signature";
  if (tag_of(ours.seal, "b") != tag_of(expected.seal, "b")) verdict.remark += " b= of the seal";
  return verdict;
}

}  // namespace

void run_arc(const Document& document, SuiteReport& report) {
  run_cases(document, {{{"message", "private_key", "AS"}, check_sealing}, {{"message", "expect"}, check_chain}},
            report);
}

}  // namespace waxwing::conformance
