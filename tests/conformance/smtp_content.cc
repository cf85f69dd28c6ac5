#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "relay/server/content_decoder.h"
#include "tests/conformance/smtp_forms.h"
#include "transport/smtp/data_encoder.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

struct Received {
  std::string message;
  std::string flaw;
  bool ended = false;
  std::size_t consumed = 0;

  friend bool operator==(const Received&, const Received&) = default;
};

Received receive(std::string_view wire, std::size_t piece_octets) {
  ContentDecoder decoder(BareLineEnds::Reject);
  Received received;
  while (received.consumed < wire.size() && !decoder.ended()) {
    received.consumed += decoder.decode(wire.substr(received.consumed, piece_octets), received.message);
  }
  received.flaw = decoder.flaw();
  received.ended = decoder.ended();
  return received;
}

bool has_bare_line_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
  }
  return false;
}

// The form that follows DATA, or nothing where the encoder refuses it.
std::optional<std::string> encoded(std::string_view message) {
  DataEncoder encoder;
  std::string wire;
  if (!encoder.append(message, wire) || !encoder.finish(wire)) return std::nullopt;
  return wire;
}

std::string words_for(const Received& received) {
  if (!received.ended) return "no end";
  return received.flaw.empty() ? "the message " + received.message : "refused (" + received.flaw + ")";
}

Verdict check_reader(const json& entry, const Document&) {
  const auto wire = entry.at("wire").get<std::string>();
  const Received received = receive(wire, wire.size());
  if (receive(wire, 1) != received) return {.expected = "the same octet by octet", .got = "another message"};
  const std::string error = text_at(entry, "error");
  if (error.find("EOF") != std::string::npos) return same("no end", words_for(received));
  if (!error.empty()) {
    return {.good = !received.flaw.empty(), .expected = "refused", .got = words_for(received)};
  }
  const std::string message = text_at(entry, "message");
  // The manifest leaves it to a stricter receiver to refuse bare LF inside lines.
  if (has_bare_line_end(message) && !received.flaw.empty()) return not_scored("refused: " + received.flaw);
  return same("the message " + message, words_for(received));
}

Verdict check_writer(const json& entry, const Document&) {
  const auto message = entry.at("input").get<std::string>();
  const auto wire = encoded(message);
  const std::string got = wire.value_or("refused");
  if (!has(entry, "error")) return same(text_at(entry, "wire"), got);
  if (has_bare_line_end(message) || message.ends_with("\r\n")) return same("refused", got);
  // RFC 5321 §4.1.1.4: a last line without CRLF is refused, or gets one.
  return {
      .good = !wire || wire == encoded(message + "\r\n"), .expected = "refused, or the last CRLF added", .got = got};
}

std::string octets_at(const json& entry) {
  if (!has(entry, "hex")) return text_at(entry, "sequence");
  const std::string hex = text_at(entry, "hex");
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return octets;
}

// As a receiver: what a client smuggles behind the sequence stays inside the one message, or that is refused. As a
// sender: no octets that another server may take for an end leave, whether refused on the way in or on the way out.
Verdict check_end_of_data(const json& entry, const Document&) {
  const std::string sequence = octets_at(entry);
  const std::string wire = "Subject: x\r\n\r\ntext" + sequence +
                           "MAIL FROM:<smuggled@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
                           "Subject: y\r\n\r\nsmuggled\r\n.\r\n";
  const Received received = receive(wire, wire.size());
  if (receive(wire, 1) != received) return {.expected = "the same octet by octet", .got = "another message"};
  if (!received.ended || received.consumed != wire.size()) {
    return {.expected = "one message", .got = fmt::format("an end after {} octets", received.consumed)};
  }
  if (received.flaw.empty()) {
    const auto sent = encoded(received.message);
    if (sent && sent->find(sequence) != std::string::npos) return {.expected = "nothing sent", .got = *sent};
  }
  if (has_bare_line_end(sequence) && encoded("text" + sequence + "more\r\n")) {
    return {.expected = "refused by the encoder", .got = "encoded"};
  }
  return {.good = true};
}

}  // namespace

std::vector<CaseForm> smtp_content_forms() {
  return {{{"wire", "message"}, check_reader},
          {{"input", "error"}, check_writer},
          {{"input", "wire"}, check_writer},
          {{"hex"}, check_end_of_data},
          {{"sequence"}, check_end_of_data}};
}

}  // namespace waxwing::conformance
