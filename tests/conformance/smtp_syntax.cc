#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "policy/ascii.h"
#include "policy/mail_address.h"
#include "relay/server/command.h"
#include "tests/conformance/smtp_forms.h"
#include "transport/smtp/extensions.h"
#include "transport/smtp/reply.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// A text in the upstream's notation of what it expects, where it needs no unquoting.
std::string upstream_text(const json& entry, std::string_view label) {
  const std::string text = between(text_at(entry, "expect_rust"), fmt::format("{}: \"", label), "\"");
  return text.find('\\') == std::string::npos ? text : "";
}

std::string address_of(const Command& command) {
  if (const auto* mail = std::get_if<MailCommand>(&command)) return mail->reverse_path ? mail->reverse_path->str() : "";
  if (const auto* rcpt = std::get_if<RcptCommand>(&command)) return rcpt->recipient ? rcpt->recipient->str() : "";
  return "";
}

// The manifest: a strict parser may refuse what the upstream takes, and nobody may take what it refuses.
Verdict check_request(const json& entry, const Document&) {
  const auto command = parse_command(entry.at("line").get<std::string>());
  // Without a size the engine cannot tell where the chunk ends, and closes.
  const auto* chunk = command ? std::get_if<BdatCommand>(&*command) : nullptr;
  const bool taken = command && !(chunk && !chunk->size_octets);
  if (!entry.at("ok").get<bool>()) return same("refused", taken ? "taken" : "refused");
  if (!command) return not_scored("refused: " + command.error().str());
  const std::string address = address_of(*command);
  for (const char* label : {"from", "to", "address"}) {
    const auto expected = MailAddress::parse(upstream_text(entry, label));
    if (expected && !address.starts_with('"')) return same(expected->str(), address);
  }
  return {.good = true};
}

std::string offers_of(const SmtpExtensions& extensions) {
  std::string offers;
  for (const auto& [offered, name] :
       {std::pair(extensions.starttls, "START_TLS"), std::pair(extensions.pipelining, "PIPELINING"),
        std::pair(extensions.eight_bit_mime, "8BIT_MIME"), std::pair(extensions.chunking, "CHUNKING"),
        std::pair(extensions.size, "SIZE")}) {
    if (offered) offers += fmt::format("{} ", name);
  }
  return offers;
}

// The same in the words of the upstream.
std::string expected_offers(const std::string& capabilities) {
  std::string offers;
  for (const char* name : {"START_TLS", "PIPELINING", "8BIT_MIME", "CHUNKING", "SIZE"}) {
    if (capabilities.find(fmt::format("EXT_{} ", name)) != std::string::npos) offers += fmt::format("{} ", name);
  }
  return offers;
}

Verdict compare_reply(const json& entry, const SmtpReply& reply) {
  const std::string upstream = text_at(entry, "expect_rust");
  if (const std::string code = between(upstream, "code: ", ","); !code.empty()) {
    std::string enhanced = between(upstream, "esc: [", "]");
    for (std::size_t at = 0; (at = enhanced.find(", ", at)) != std::string::npos;) enhanced.replace(at, 2, ".");
    // The upstream takes any three numbers; RFC 3463 §3.1 knows classes 2, 4 and 5, which the code repeats.
    if (!code.starts_with(enhanced.substr(0, 1))) enhanced.clear();
    return same(code + " " + enhanced, fmt::format("{} {}", reply.code, reply.enhanced_code));
  }
  if (const std::string capabilities = between(upstream, "capabilities: ", ","); !capabilities.empty()) {
    return same(expected_offers(capabilities + " "), offers_of(SmtpExtensions::parse(reply)));
  }
  return {.good = true};
}

// `ok: false` marks replies to EHLO that mean a refusal, and what is no reply.
Verdict check_reply(const json& entry, const Document&) {
  SmtpReplyReader reader;
  auto fed = reader.feed(entry.at("reply").get<std::string>());
  const auto reply = reader.next();
  if (!entry.at("ok").get<bool>()) {
    return same("refused", reply && reply->code < 300 ? reply->str() : std::string("refused"));
  }
  if (reply) return compare_reply(entry, *reply);
  return not_scored("not read by a strict parser: " + (fed ? "there is no end of it" : fed.error().detail));
}

// Four entries of the published file have the opposite of what their source asserts: its tests of formatting construct
// these addresses and demand their parts, and RFC 5321 §4.1.2 and RFC 6531 §3.3 allow them.
bool contradicts_its_source(const json& entry) {
  if (entry.value("valid", true) || !text_at(entry, "source").starts_with("haraka")) return false;
  static constexpr std::string_view kValid[] = {
      "<matt@example.com>",
      "<matt@exAMple.com>",
      "<p\u0159\u00edli\u0161\u017elu\u0165ou\u010dk\u00fdk\u016f\u0148@"
      "p\u0159\u00edli\u0161\u017elu\u0165ou\u010dk\u00fdk\u016f\u0148.cz>",
      "<\"p\u0159\u00ed li\u0161\u017elu \u0165ou\u010dk\u00fdk\u016f\u0148\"@"
      "p\u0159\u00edli\u0161\u017elu\u0165ou\u010dk\u00fdk\u016f\u0148.cz>",
  };
  return std::ranges::find(kValid, text_at(entry, "input")) != std::end(kValid);
}

std::string without_brackets(const std::string& path) {
  return path.size() >= 2 && path.front() == '<' && path.back() == '>' ? path.substr(1, path.size() - 2) : path;
}

Verdict check_path(const json& entry) {
  const std::string path = without_brackets(text_at(entry, "input"));
  const bool valid = entry.at("valid").get<bool>();
  if (path.empty()) return same(valid ? "valid" : "not valid", "valid");
  if (ascii_iequal(path, "postmaster")) {
    return same(valid ? "valid" : "not valid", parse_command("RCPT TO:<" + path + ">") ? "valid" : "not valid");
  }
  const auto address = MailAddress::parse(path);
  if (address.has_value() != valid || !address)
    return same(valid ? "valid" : "not valid", address ? "valid" : "not valid");
  return same(fmt::format("{}@{}", text_at(entry, "user"), text_at(entry, "host")), address->str());
}

Verdict check_address(const json& entry, const Document&) {
  const std::string kind = text_at(entry, "kind");
  if (!has(entry, "valid")) return not_scored("Waxwing keeps local parts as they are and never quotes one");
  if (contradicts_its_source(entry)) return not_scored("contradicts its source, which asserts that it is valid");
  if (kind == "path") return check_path(entry);
  if (kind != "address" && kind != "localpart") return not_scored("an address of an unknown kind");
  const std::string input = text_at(entry, "input") + (kind == "localpart" ? "@example.org" : "");
  const auto words = [](bool yes) { return yes ? "valid" : "not valid"; };
  return same(words(entry.at("valid").get<bool>()), words(MailAddress::parse(input).has_value()));
}

}  // namespace

std::vector<CaseForm> smtp_syntax_forms() {
  return {{{"line", "ok"}, check_request}, {{"reply", "ok"}, check_reply}, {{"kind", "input"}, check_address}};
}

}  // namespace waxwing::conformance
