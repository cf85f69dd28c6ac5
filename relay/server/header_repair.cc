#include "relay/server/header_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/utf8.h"
#include "relay/server/content_decoder.h"
#include "relay/server/header_rules.h"

namespace waxwing {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// Encoded words for a text, one a line, each of at most 75 characters and of whole characters.
std::string encode_words(std::string_view text) {
  constexpr std::size_t kMaxTextOctets = 45;  // 60 characters of base64, with "=?utf-8?B?" and "?=" 72
  std::string words;
  while (!text.empty()) {
    std::size_t length = std::min(kMaxTextOctets, text.size());
    while (length < text.size() && continues_character(text[length])) --length;
    if (!words.empty()) words += "\r\n ";
    words += "=?utf-8?B?" + encode_base64(text.substr(0, length)) + "?=";
    text.remove_prefix(length);
  }
  return words;
}

/// Copies a value and writes what is not ASCII in it anew. One function for each kind of field.
class AsciiWriter {
 public:
  explicit AsciiWriter(std::string_view value) : value_(value) {}

  // Words that are not ASCII, together with the blank between two of them, which readers would not see otherwise.
  void text() {
    while (at_ < value_.size()) {
      copy_while([](char c) { return kBlank.find(c) != std::string_view::npos; });
      if (at_ < value_.size()) encode_run([](char) { return true; });
    }
  }

  // @return  false: an address itself is not ASCII
  bool addresses() {
    while (at_ < value_.size()) {
      const char c = value_[at_];
      if (c == '<') {
        if (!copy_through('>')) return false;
      } else if (c == '"') {
        if (!quoted()) return false;
      } else if (c == '(') {
        comment();
      } else if (is_word_octet(c)) {
        if (!encode_run(is_word_octet)) return false;
      } else {
        out_ += value_[at_++];
      }
    }
    return true;
  }

  // Parameters as `name*=utf-8''percent-encoded`.
  void parameters() {
    while (at_ < value_.size()) {
      const std::size_t equals = value_.find('=', at_);
      if (equals == std::string_view::npos || equals + 1 == value_.size()) break;
      out_ += value_.substr(at_, equals - at_);
      at_ = equals + 1;
      const std::size_t begin = at_;
      const std::string argument = take_argument();
      if (is_ascii(argument)) {
        out_ += '=';
        out_ += value_.substr(begin, at_ - begin);
      } else {
        out_ += "*=utf-8''" + percent_encoded(argument);
      }
    }
    out_ += value_.substr(at_);
  }

  std::string take_output() { return std::move(out_); }

 private:
  static bool is_word_octet(char c) { return std::string_view(" \t\r\n<>()[],;:\"").find(c) == std::string_view::npos; }

  template <class Matches>
  void copy_while(Matches matches) {
    while (at_ < value_.size() && matches(value_[at_])) out_ += value_[at_++];
  }

  bool copy_through(char last) {
    const std::size_t end = std::min(value_.find(last, at_), value_.size() - 1) + 1;
    const std::string_view part = value_.substr(at_, end - at_);
    out_ += part;
    at_ = end;
    return is_ascii(part);
  }

  template <class Matches>
  std::size_t word_end(std::size_t from, Matches matches) const {
    while (from < value_.size() && kBlank.find(value_[from]) == std::string_view::npos && matches(value_[from])) ++from;
    return from;
  }

  // A word, and with it those that follow as long as none is ASCII.
  template <class Matches>
  bool encode_run(Matches matches) {
    const std::size_t begin = at_;
    std::size_t end = word_end(at_, matches);
    if (is_ascii(value_.substr(begin, end - begin))) {
      out_ += value_.substr(begin, end - begin);
      at_ = end;
      return true;
    }
    while (true) {
      const std::size_t next = std::min(value_.find_first_not_of(kBlank, end), value_.size());
      const std::size_t next_end = word_end(next, matches);
      if (next == end || is_ascii(value_.substr(next, next_end - next))) break;
      end = next_end;
    }
    const std::string run = unfolded(value_.substr(begin, end - begin));
    at_ = end;
    out_ += encode_words(run);
    return run.find('@') == std::string::npos;
  }

  static std::string unfolded(std::string_view text) {
    std::string line;
    std::copy_if(text.begin(), text.end(), std::back_inserter(line), [](char c) { return c != '\r' && c != '\n'; });
    return line;
  }

  // What a quoted string at `at_` says.
  std::string take_quoted() {
    std::string text;
    for (++at_; at_ < value_.size() && value_[at_] != '"'; ++at_) {
      if (value_[at_] == '\\' && at_ + 1 < value_.size()) ++at_;
      text += value_[at_];
    }
    at_ = std::min(at_ + 1, value_.size());
    return unfolded(text);
  }

  bool quoted() {
    const std::size_t begin = at_;
    const std::string text = take_quoted();
    if (is_ascii(text)) {
      out_ += value_.substr(begin, at_ - begin);
      return true;
    }
    out_ += encode_words(text);
    return at_ == value_.size() || value_[at_] != '@';
  }

  void comment() {
    out_ += value_[at_++];
    int depth = 1;
    while (at_ < value_.size() && depth > 0) {
      const char c = value_[at_];
      const bool plain = c != '(' && c != ')' && c != '\\' && kBlank.find(c) == std::string_view::npos;
      if (plain) {
        encode_run([](char octet) { return octet != '(' && octet != ')' && octet != '\\'; });
        continue;
      }
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      out_ += value_[at_++];
      if (c == '\\' && at_ < value_.size() && value_[at_] >= 0) out_ += value_[at_++];
    }
  }

  std::string take_argument() {
    if (value_[at_] == '"') return take_quoted();
    const std::size_t begin = at_;
    at_ = std::min(value_.find_first_of("; \t\r\n", at_), value_.size());
    return std::string(value_.substr(begin, at_ - begin));
  }

  static std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
      if (is_ascii_alnum(c) || c == '.' || c == '-' || c == '_')
        encoded += c;
      else
        encoded += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return encoded;
  }

  std::string_view value_;
  std::size_t at_ = 0;
  std::string out_;
};

bool holds_addresses(const HeaderField& field) {
  constexpr std::array kFields = {
      "From",        "Sender",        "Reply-To",  "To",        "Cc",
      "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Disposition-Notification-To"};
  return std::any_of(kFields.begin(), kFields.end(), [&field](const char* name) { return field.is(name); });
}

// Fields of which encoded words are a part: in others (Message-ID, DKIM-Signature) they would be read as they stand.
bool may_hold_encoded_words(const HeaderField& field) {
  return holds_addresses(field) || field.is("Subject") || field.is("Comments") || field.is("Content-Description") ||
         field.name.starts_with("X-") || field.name.starts_with("x-");
}

bool fits_on_lines(std::string_view field) {
  for (std::size_t at = 0; at < field.size();) {
    const std::size_t end = std::min(field.find("\r\n", at), field.size());
    if (end - at > kMaxLineOctets) return false;
    at = end + 2;
  }
  return true;
}

bool holds_parameters(const HeaderField& field) {
  return field.is("Content-Type") || field.is("Content-Disposition");
}

}  // namespace

tl::expected<std::string, ServerReply> field_in_ascii(const HeaderField& field) {
  if (is_ascii(field.value)) return std::string(field.raw);
  if (!is_valid_utf8(field.value)) {
    return tl::unexpected(ServerReply{
        550,
        "5.6.0",
        {reply_text(fmt::format("the field {} holds octets that are neither ASCII nor UTF-8", field.name))}});
  }
  AsciiWriter writer(field.value);
  if (holds_addresses(field)) {
    if (!writer.addresses()) {
      return tl::unexpected(ServerReply{
          550, "5.6.7", {reply_text(fmt::format("an address in {} is not ASCII; it needs SMTPUTF8", field.name))}});
    }
  } else if (holds_parameters(field)) {
    writer.parameters();
  } else {
    writer.text();
  }
  std::string written = fmt::format("{}:{}\r\n", field.name, writer.take_output());
  if (is_ascii(written) && fits_on_lines(written)) return written;
  return tl::unexpected(
      ServerReply{550, "5.6.0", {reply_text(fmt::format("the field {} cannot be written in ASCII", field.name))}});
}

tl::expected<std::string, ServerReply> outgoing_fields(const std::vector<HeaderField>& fields, RawHeaders mode) {
  std::string block;
  for (const HeaderField& field : fields) {
    if (is_withheld(field)) continue;
    if (mode == RawHeaders::Pass || is_ascii(field.value)) {
      block += field.raw;
      continue;
    }
    if (mode == RawHeaders::Reject) {
      return tl::unexpected(ServerReply{
          550, "5.6.7", {reply_text(fmt::format("the field {} is not ASCII; it needs SMTPUTF8", field.name))}});
    }
    auto written = field_in_ascii(field);
    if (!written) return tl::unexpected(std::move(written.error()));
    block += *written;
  }
  return block;
}

std::string outgoing_utf8_fields(const std::vector<HeaderField>& fields) {
  const bool can_be_ascii = std::all_of(fields.begin(), fields.end(), [](const HeaderField& field) {
    return is_ascii(field.value) || may_hold_encoded_words(field) || holds_parameters(field);
  });
  if (can_be_ascii) {
    if (auto in_ascii = outgoing_fields(fields, RawHeaders::Fix)) return std::move(*in_ascii);
  }
  return outgoing_fields(fields, RawHeaders::Pass).value();  // which refuses nothing
}

}  // namespace waxwing
