#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "policy/domain_name.h"
#include "policy/mta_sts.h"
#include "tests/conformance/suites.h"
#include "transport/http/sts_fetch_rules.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// Where an upstream is more lenient or stricter than the RFC, the RFC counts.
std::optional<bool> validity_of(const json& entry) {
  for (const char* member : {"rfc_valid", "valid", "upstream_valid"}) {
    if (has(entry, member)) return entry.at(member).get<bool>();
  }
  return std::nullopt;
}

Verdict validity(bool expected, bool got, const std::string& why) {
  return {.good = expected == got,
          .expected = expected ? "valid" : "not valid",
          .got = got ? "valid" : "not valid (" + why + ")"};
}

Verdict check_record(const json& entry, const Document&) {
  const auto valid = validity_of(entry);
  if (!valid) return not_scored("the case does not say whether the record is valid");
  const auto id = parse_sts_record(entry.at("txt").get<std::string>());
  if (id.has_value() != *valid || !id) return validity(*valid, id.has_value(), id ? "" : id.error().detail);
  const json fields = entry.value("fields", json());
  if (!fields.is_object() || !has(fields, "id")) return {.good = true};
  return same(text_at(fields, "id"), *id);
}

std::string summary(std::string_view mode, std::uint64_t max_age, const std::vector<std::string>& mx) {
  return fmt::format("mode {}, max_age {}, mx {}", mode, max_age, listed(mx));
}

Verdict check_policy(const json& entry, const Document&) {
  const auto valid = validity_of(entry);
  if (!valid) return not_scored("the case does not say whether the policy is valid");
  const auto policy = StsPolicy::parse(entry.at("policy").get<std::string>());
  if (policy.has_value() != *valid || !policy) {
    return validity(*valid, policy.has_value(), policy ? "" : policy.error().detail);
  }
  const json expect = entry.value("expect", json());
  if (!expect.is_object()) return {.good = true};
  const std::string mode(sts_mode_name(policy->mode));
  return same(summary(text_at(expect, "mode", mode), expect.value("max_age", std::uint64_t{policy->max_age_seconds}),
                      has(expect, "mx") ? texts_at(expect, "mx") : policy->mx_patterns),
              summary(mode, policy->max_age_seconds, policy->mx_patterns));
}

Verdict check_match(const json& entry, const Document&) {
  const StsPolicy policy{StsMode::Enforce, 1, texts_at(entry, "patterns")};
  const bool covered = policy.covers(entry.at("host").get<std::string>());
  const auto words = [](bool yes) { return yes ? "a match" : "no match"; };
  Verdict verdict = same(words(entry.at("match").get<bool>()), words(covered));
  // Names that are not in the form that DomainName gives, which is all that a policy or an MX is matched with.
  if (has(entry, "note")) return not_scored(fmt::format("{}; got {}", text_at(entry, "note"), verdict.got));
  return verdict;
}

Verdict check_media_type(const json& entry, const Document&) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: " + text_at(entry, "content_type");
  HttpResponseReader reader(kMaxStsPolicyOctets);
  reader.feed(head + "\r\n\r\nx");
  auto response = reader.state() == HttpResponseReader::State::Done ? reader.take_result()
                                                                    : fail(ErrorKind::Malformed, "truncated");
  const bool accepted = response && take_sts_policy_text(std::move(*response)).has_value();
  const auto words = [](bool yes) { return yes ? "accepted" : "refused"; };
  return same(words(entry.at("acceptable").get<bool>()), words(accepted));
}

// Only 200 gives a policy, whatever is said of the others.
Verdict check_status(const json& entry, const Document&) {
  HttpResponse response{.status = entry.at("status").get<int>(), .media_type = "text/plain", .body = "x"};
  const bool taken = take_sts_policy_text(std::move(response)).has_value();
  const auto words = [](bool yes) { return yes ? "a policy" : "no policy"; };
  return same(words(entry.at("result").get<std::string>().starts_with("use")), words(taken));
}

Verdict check_lookup(const json&, const Document&) {
  return not_scored("its zone is source text of another language");
}

}  // namespace

void run_mta_sts(const Document& document, SuiteReport& report) {
  run_cases(document,
            {{{"policy"}, check_policy},
             {{"host", "patterns", "match"}, check_match},
             {{"content_type", "acceptable"}, check_media_type},
             {{"status", "result"}, check_status},
             {{"raw_go_zone"}, check_lookup},
             {{"txt"}, check_record}},
            report);
}

}  // namespace waxwing::conformance
