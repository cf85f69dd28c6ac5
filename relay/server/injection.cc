#include "relay/server/injection.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/date_time.h"
#include "policy/utf8.h"
#include "relay/server/injection_content.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxHeaderTextOctets = 32'768;
constexpr std::size_t kMaxHeaders = 100;

tl::unexpected<Error> wrong(std::string what) {
  return fail(ErrorKind::Malformed, std::move(what));
}

// Reads JSON so that nothing is left out silently: a name that stands twice is an error, and depth is bounded.
Result<Json> parse_json(std::string_view body) {
  std::vector<std::set<std::string>> names;
  std::string flaw;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= kMaxJsonDepth) flaw = "the JSON is too deep";
      if (event == Json::parse_event_t::object_start && flaw.empty()) names.emplace_back();
      return flaw.empty();
    }
    if (event == Json::parse_event_t::key && flaw.empty() && !names.empty() &&
        !names.back().insert(parsed.get<std::string>()).second)
      flaw = "a name stands twice in one object";
    if (event == Json::parse_event_t::object_end && flaw.empty() && !names.empty()) names.pop_back();
    return flaw.empty();
  };
  Json parsed = Json::parse(body, watch, false);
  if (!flaw.empty()) return wrong(std::move(flaw));
  if (parsed.is_discarded()) return wrong("the body is not JSON");
  if (!parsed.is_object()) return wrong("the body is not a JSON object");
  return parsed;
}

bool is_header_text(std::string_view text) {
  return text.size() <= kMaxHeaderTextOctets && std::ranges::none_of(text, [](char c) {
           const auto octet = static_cast<unsigned char>(c);
           return octet < 0x20 || octet == 0x7f;
         });
}

// Takes the members of the object; what is left over at the end is an error.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  const Json* take(const char* name) {
    taken_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::optional<std::string> left_over() const {
    for (const auto& [name, value] : object_.items())
      if (!taken_.contains(name)) return name;
    return std::nullopt;
  }

 private:
  const Json& object_;
  std::set<std::string> taken_;
};

Result<std::string> text_of(const Json& value, const char* name) {
  if (!value.is_string()) return wrong(fmt::format("\"{}\" is not a string", name));
  return value.get<std::string>();
}

Result<std::string> header_text_of(const Json& value, const char* name) {
  auto text = text_of(value, name);
  if (text && !is_header_text(*text))
    return wrong(fmt::format("\"{}\" is too long or holds a control character", name));
  return text;
}

Result<MailAddress> address_of(std::string_view text, const char* name) {
  auto address = MailAddress::parse(text);
  if (!address) return wrong(fmt::format("\"{}\" holds what is no address: {}", name, address.error().detail));
  return address;
}

// "a@b.example", "Name <a@b.example>" or {"name": …, "email": …}.
Result<InjectedMailbox> mailbox_of(const Json& value, const char* name) {
  std::string display;
  std::string address;
  if (value.is_object()) {
    Members members(value);
    const Json* email = members.take("email");
    const Json* shown = members.take("name");
    if (members.left_over() || email == nullptr) return wrong(fmt::format("\"{}\" is not {{name, email}}", name));
    auto email_text = header_text_of(*email, name);
    auto shown_text = shown == nullptr ? Result<std::string>("") : header_text_of(*shown, name);
    if (!email_text || !shown_text) return tl::unexpected(email_text ? shown_text.error() : email_text.error());
    address = std::move(*email_text);
    display = std::move(*shown_text);
  } else {
    auto text = header_text_of(value, name);
    if (!text) return tl::unexpected(std::move(text.error()));
    const std::size_t open = text->rfind('<');
    if (open == std::string::npos) {
      address = std::move(*text);
    } else {
      if (!text->ends_with('>')) return wrong(fmt::format("\"{}\" holds what is no address", name));
      address = text->substr(open + 1, text->size() - open - 2);
      display = text->substr(0, open);
      while (display.ends_with(' ')) display.pop_back();
      if (display.size() >= 2 && display.front() == '"' && display.back() == '"')
        display = display.substr(1, display.size() - 2);
    }
  }
  auto parsed = address_of(address, name);
  if (!parsed) return tl::unexpected(std::move(parsed.error()));
  return InjectedMailbox{std::move(display), std::move(*parsed)};
}

Result<std::vector<InjectedMailbox>> mailboxes_of(const Json* value, const char* name) {
  std::vector<InjectedMailbox> mailboxes;
  if (value == nullptr) return mailboxes;
  if (!value->is_array()) {
    auto one = mailbox_of(*value, name);
    if (!one) return tl::unexpected(std::move(one.error()));
    mailboxes.push_back(std::move(*one));
    return mailboxes;
  }
  if (value->size() > kMaxInjectedRecipients) return wrong(fmt::format("\"{}\" has too many addresses", name));
  for (const Json& element : *value) {
    auto one = mailbox_of(element, name);
    if (!one) return tl::unexpected(std::move(one.error()));
    mailboxes.push_back(std::move(*one));
  }
  return mailboxes;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 77 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

// Fields that have a member of their own, or that only we write.
bool is_own_field(std::string_view name) {
  static constexpr std::string_view kOwn[] = {"From",
                                              "To",
                                              "Cc",
                                              "Bcc",
                                              "Reply-To",
                                              "Subject",
                                              "MIME-Version",
                                              "Content-Type",
                                              "Content-Transfer-Encoding",
                                              "Received",
                                              "DKIM-Signature",
                                              "Return-Path"};
  return std::ranges::any_of(kOwn, [name](std::string_view own) { return ascii_iequal(own, name); });
}

Result<std::vector<std::pair<std::string, std::string>>> headers_of(const Json* value) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (value == nullptr) return headers;
  if (!value->is_object() || value->size() > kMaxHeaders)
    return wrong("\"headers\" is not an object of 100 fields at most");
  std::set<std::string> seen;
  for (const auto& [name, field] : value->items()) {
    if (!is_field_name(name)) return wrong("\"headers\" holds a name that is none");
    if (is_own_field(name)) return wrong(fmt::format("\"headers\" may not hold {}", name));
    if (!seen.insert(ascii_lower(name)).second) return wrong("a name stands twice in \"headers\"");
    auto text = header_text_of(field, "headers");
    if (!text) return tl::unexpected(std::move(text.error()));
    headers.emplace_back(name, std::move(*text));
  }
  return headers;
}

void add_recipients(const std::vector<InjectedMailbox>& mailboxes, Envelope& envelope) {
  for (const InjectedMailbox& mailbox : mailboxes) {
    const bool known = std::ranges::any_of(
        envelope.recipients, [&](const EnvelopeRecipient& recipient) { return recipient.address == mailbox.address; });
    if (!known) envelope.recipients.push_back({mailbox.address, {}});
  }
}

Result<void> read_raw(Members& members, const Json* raw, const Json* raw_base64, Injection& injection) {
  if (raw != nullptr && raw_base64 != nullptr) return wrong("\"raw\" and \"raw_base64\" stand together");
  auto text = text_of(raw != nullptr ? *raw : *raw_base64, raw != nullptr ? "raw" : "raw_base64");
  if (!text) return tl::unexpected(std::move(text.error()));
  if (raw_base64 != nullptr) text = decode_base64(*text);
  if (!text) return wrong("\"raw_base64\" is not base64");
  injection.content = std::move(*text);
  for (const char* name : {"from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "headers"}) {
    if (members.take(name) != nullptr) return wrong(fmt::format("\"{}\" and \"raw\" stand together", name));
  }
  return {};
}

Result<void> read_structure(Members& members, Injection& injection) {
  StructuredMessage message;
  const Json* from = members.take("from");
  if (from == nullptr) return wrong("\"from\" is missing");
  auto author = mailbox_of(*from, "from");
  auto to = mailboxes_of(members.take("to"), "to");
  auto cc = mailboxes_of(members.take("cc"), "cc");
  auto bcc = mailboxes_of(members.take("bcc"), "bcc");
  auto reply_to = mailboxes_of(members.take("reply_to"), "reply_to");
  auto headers = headers_of(members.take("headers"));
  for (const Error* error :
       {author ? nullptr : &author.error(), to ? nullptr : &to.error(), cc ? nullptr : &cc.error(),
        bcc ? nullptr : &bcc.error(), reply_to ? nullptr : &reply_to.error(), headers ? nullptr : &headers.error()})
    if (error != nullptr) return tl::unexpected(*error);
  if (const Json* subject = members.take("subject")) {
    auto text = header_text_of(*subject, "subject");
    if (!text) return tl::unexpected(std::move(text.error()));
    message.subject = std::move(*text);
  }
  for (const auto& [name, target] : {std::pair{"text", &message.text}, std::pair{"html", &message.html}}) {
    const Json* value = members.take(name);
    if (value == nullptr) continue;
    auto text = text_of(*value, name);
    if (!text) return tl::unexpected(std::move(text.error()));
    *target = std::move(*text);
  }
  injection.envelope.reverse_path = author->address;
  for (const auto* list : {&*to, &*cc, &*bcc}) add_recipients(*list, injection.envelope);
  message.from = std::move(*author);
  message.to = std::move(*to);
  message.cc = std::move(*cc);
  message.reply_to = std::move(*reply_to);
  message.headers = std::move(*headers);
  auto content = compose_content(message);
  if (!content) return tl::unexpected(std::move(content.error()));
  injection.content = std::move(*content);
  return {};
}

Result<void> read_envelope(Members& members, bool raw, Envelope& envelope) {
  const Json* mail_from = members.take("mail_from");
  const Json* rcpt_to = members.take("rcpt_to");
  if (raw && (mail_from == nullptr || rcpt_to == nullptr)) return wrong("\"raw\" needs \"mail_from\" and \"rcpt_to\"");
  if (mail_from != nullptr) {
    auto text = text_of(*mail_from, "mail_from");
    if (!text) return tl::unexpected(std::move(text.error()));
    envelope.reverse_path.reset();
    if (!text->empty()) {
      auto address = address_of(*text, "mail_from");
      if (!address) return tl::unexpected(std::move(address.error()));
      envelope.reverse_path = std::move(*address);
    }
  }
  if (rcpt_to != nullptr) {
    if (!rcpt_to->is_array()) return wrong("\"rcpt_to\" is not an array");
    envelope.recipients.clear();
    auto recipients = mailboxes_of(rcpt_to, "rcpt_to");
    if (!recipients) return tl::unexpected(std::move(recipients.error()));
    add_recipients(*recipients, envelope);
  }
  if (envelope.recipients.empty()) return wrong("no recipient is named");
  return {};
}

Result<void> read_notices(Members& members, Envelope& envelope) {
  if (const Json* notify = members.take("notify")) {
    const auto wish = notify->is_string() ? NotifyWish::parse(notify->get<std::string>()) : std::nullopt;
    if (!wish) return wrong("\"notify\" is never, or a list of success, failure and delay");
    for (EnvelopeRecipient& recipient : envelope.recipients) recipient.notice.notify = wish;
  }
  if (const Json* ret = members.take("ret")) {
    const std::string word = ret->is_string() ? ret->get<std::string>() : std::string();
    if (!ascii_iequal(word, "full") && !ascii_iequal(word, "hdrs")) return wrong("\"ret\" is full or hdrs");
    envelope.notice.content = ascii_iequal(word, "full") ? ReturnedContent::Full : ReturnedContent::Headers;
  }
  if (const Json* envid = members.take("envid")) {
    const std::string id = envid->is_string() ? envid->get<std::string>() : std::string();
    if (!is_envelope_id(id)) return wrong("\"envid\" is xtext of at most 100 characters");
    envelope.notice.envelope_id = id;
  }
  return {};
}

Result<void> read_timing(Members& members, TimingRequest& timing) {
  if (const Json* hold_for = members.take("hold_for")) {
    const bool in_range = hold_for->is_number_unsigned() && *hold_for >= 1 && *hold_for <= kMaxHold.count();
    if (!in_range) return wrong("\"hold_for\" is a number of seconds from 1 to 999999999");
    timing.hold_for = Seconds(hold_for->get<std::int64_t>());
  }
  if (const Json* hold_until = members.take("hold_until")) {
    if (hold_until->is_string()) timing.hold_until = parse_utc_date_time(hold_until->get_ref<const std::string&>());
    if (!timing.hold_until) return wrong("\"hold_until\" is a time like 2026-11-30T08:00:00Z");
  }
  if (const Json* by = members.take("by")) {
    if (by->is_string()) timing.by = parse_by_value(by->get_ref<const std::string&>());
    if (!timing.by) return wrong("\"by\" is seconds with ;N or ;R, like \"120;R\"");
  }
  return {};
}

bool is_8bit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c < 0; });
}

// What MAIL would have to say.
void label(Injection& injection) {
  Envelope& envelope = injection.envelope;
  envelope.body_8bit = is_8bit(injection.content);
  envelope.smtputf8 = (envelope.reverse_path && is_8bit(envelope.reverse_path->local_part)) ||
                      std::ranges::any_of(envelope.recipients, [](const EnvelopeRecipient& recipient) {
                        return is_8bit(recipient.address.local_part);
                      });
}

}  // namespace

Result<Injection> parse_injection(std::string_view body) {
  const auto object = parse_json(body);
  if (!object) return tl::unexpected(object.error());
  Members members(*object);
  Injection injection;
  const Json* raw = members.take("raw");
  const Json* raw_base64 = members.take("raw_base64");
  const bool is_raw = raw != nullptr || raw_base64 != nullptr;
  auto read = is_raw ? read_raw(members, raw, raw_base64, injection) : read_structure(members, injection);
  if (read) read = read_envelope(members, is_raw, injection.envelope);
  if (read) read = read_notices(members, injection.envelope);
  if (read) read = read_timing(members, injection.timing);
  if (!read) return tl::unexpected(std::move(read.error()));
  if (members.left_over()) return wrong("there is a member that is not known");
  label(injection);
  return injection;
}

}  // namespace waxwing
