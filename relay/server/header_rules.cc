#include "relay/server/header_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace waxwing {
namespace {

// RFC 5322 §3.6: "max number" 1; and those of MIME, whose second one hides the first from some readers.
constexpr std::array<std::string_view, 14> kSingleFields = {"From",
                                                            "Sender",
                                                            "Reply-To",
                                                            "To",
                                                            "Cc",
                                                            "Subject",
                                                            "Date",
                                                            "Message-ID",
                                                            "In-Reply-To",
                                                            "References",
                                                            "MIME-Version",
                                                            "Content-Type",
                                                            "Content-Transfer-Encoding",
                                                            "Content-Disposition"};

ServerReply malformed(std::string text) {
  return {550, "5.6.0", {std::move(text)}};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == '\x7f'; });
}

// Some programs take a line of nothing but blank for the end of the header.
bool has_blank_line(std::string_view raw) {
  for (std::size_t at = raw.find("\r\n"); at + 2 < raw.size(); at = raw.find("\r\n", at + 2)) {
    const std::size_t text = raw.find_first_not_of(" \t", at + 2);
    if (text == std::string_view::npos || raw[text] == '\r') return true;
  }
  return false;
}

}  // namespace

std::optional<ServerReply> check_header_form(const std::vector<HeaderField>& fields) {
  std::array<bool, kSingleFields.size()> seen{};
  for (const HeaderField& field : fields) {
    if (field.raw.substr(field.name.size(), 1) != ":")
      return malformed(fmt::format("white space stands before the colon of {}", reply_text(field.name)));
    if (has_control(field.value))
      return malformed(fmt::format("the field {} holds a control character", reply_text(field.name)));
    if (has_blank_line(field.raw))
      return malformed(fmt::format("the field {} has a line of white space alone", reply_text(field.name)));
    const auto* const single = std::find_if(kSingleFields.begin(), kSingleFields.end(),
                                            [&field](std::string_view name) { return field.is(name); });
    if (single == kSingleFields.end()) continue;
    bool& twice = seen.at(static_cast<std::size_t>(single - kSingleFields.begin()));
    if (twice) return malformed(fmt::format("the message has more than one {} field; receivers refuse that", *single));
    twice = true;
  }
  return std::nullopt;
}

bool is_withheld(const HeaderField& field) {
  return field.is("Bcc") || field.is("Resent-Bcc") || field.is("Return-Path") || field.is("Content-Length");
}

}  // namespace waxwing
