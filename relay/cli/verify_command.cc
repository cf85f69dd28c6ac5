#include "relay/cli/verify_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "relay/observe/escape.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kChunkOctets = 65'536;
constexpr std::size_t kMaxHeloOctets = 255;

// A SPF identity needs a name; without --helo the domain of the sender stands in.
Result<ReceivedEnvelope> read_envelope(const MessageToVerify& arguments) {
  ReceivedEnvelope envelope;
  if (!arguments.mail_from.empty() && arguments.mail_from != "<>") {
    auto address = MailAddress::parse(arguments.mail_from);
    if (!address) {
      return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a mail address: {}", printable(arguments.mail_from),
                                                    address.error().detail));
    }
    envelope.reverse_path = std::move(*address);
  }
  envelope.helo = arguments.helo.substr(0, kMaxHeloOctets);
  if (envelope.helo.empty() && envelope.reverse_path) envelope.helo = envelope.reverse_path->domain.str();
  if (arguments.client.empty()) return envelope;
  auto client = IpAddress::parse(arguments.client);
  if (!client)
    return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not an IP address", printable(arguments.client)));
  if (envelope.helo.empty()) return fail(ErrorKind::Malformed, "SPF needs --mail-from or, for the null sender, --helo");
  envelope.client = *client;
  return envelope;
}

ReadMessage read_from(std::istream& in, std::string& buffer) {
  return [&in, &buffer]() -> Result<std::string_view> {
    buffer.resize(kChunkOctets);
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    if (in.bad()) return fail(ErrorKind::NotFound, "the message cannot be read to its end");
    return std::string_view(buffer).substr(0, static_cast<std::size_t>(in.gcount()));
  };
}

// The field as it would stand in the header.
std::string field_of(const ReceivedVerdict& verdict, const std::string& authserv_id, const ReceivedEnvelope& envelope) {
  return report_received(verdict, authserv_id, envelope.client).field();
}

Json dkim_json(const ReceivedVerdict& verdict) {
  Json list = Json::array();
  for (const DkimVerdict& dkim : verdict.signatures.dkim) {
    list.push_back({{"result", dkim_result_name(dkim.result)},
                    {"domain", printable(dkim.signature.domain)},
                    {"selector", printable(dkim.signature.selector)},
                    {"algorithm", printable(dkim.signature.algorithm)},
                    {"key_bits", dkim.key_bits},
                    {"testing", dkim.testing},
                    {"detail", printable(dkim.detail)}});
  }
  return list;
}

Json arc_json(const ArcVerdict& arc) {
  return {{"result", arc_result_name(arc.result)},
          {"instances", arc.instances},
          {"oldest_pass", arc.oldest_pass},
          {"sealer", printable(arc.sealer)},
          {"detail", printable(arc.detail)}};
}

Json spf_json(const ReceivedVerdict& verdict) {
  if (!verdict.spf) return nullptr;
  return {{"result", spf_result_name(verdict.spf->result)},
          {"domain", printable(verdict.spf_input->domain)},
          {"client", verdict.spf_input->client.str()},
          {"detail", printable(verdict.spf->detail)}};
}

Json dmarc_json(const ReceivedVerdict& verdict) {
  if (!verdict.dmarc)
    return {{"result", dmarc_result_name(DmarcResult::PermError)}, {"detail", printable(verdict.author_fault)}};
  const DmarcVerdict& dmarc = *verdict.dmarc;
  const bool found = dmarc.discovery.record_domain.has_value();
  return {{"result", dmarc_result_name(dmarc.result)},
          {"author_domain", verdict.author_domain->str()},
          {"record_domain", found ? Json(dmarc.discovery.record_domain->str()) : Json(nullptr)},
          {"policy", found ? Json(dmarc_policy_name(dmarc.discovery.requested)) : Json(nullptr)},
          {"dkim_aligned", dmarc.dkim_aligned},
          {"spf_aligned", dmarc.spf_aligned},
          {"detail", printable(dmarc.detail)}};
}

std::string conclusion(const ReceivedVerdict& verdict) {
  const bool accepted = would_be_accepted(verdict);
  const std::string& why = verdict.dmarc ? verdict.dmarc->detail : verdict.author_fault;
  return fmt::format("{}{}{}", accepted ? "Would be accepted" : "Would not be accepted", why.empty() ? "" : ": ", why);
}

std::string unfolded(std::string_view field) {
  std::string line;
  for (const char c : field) {
    if (c != '\r' && c != '\n') line += c == '\t' ? ' ' : c;
  }
  return printable(line, kChunkOctets);
}

void add_lines(std::string_view text, Output& output) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    output.add_line(line);
    text.remove_prefix(std::min(text.size(), line.size() + 2));
  }
}

}  // namespace

void print_verdict(const ReceivedVerdict& verdict, const std::string& authserv_id, const ReceivedEnvelope& envelope,
                   Output& output) {
  const std::string field = field_of(verdict, authserv_id, envelope);
  add_lines(field, output);
  output.add_line(conclusion(verdict));
  output.add_object({{"accepted", would_be_accepted(verdict)},
                     {"authentication_results", unfolded(field)},
                     {"dkim", dkim_json(verdict)},
                     {"arc", arc_json(verdict.signatures.arc)},
                     {"spf", spf_json(verdict)},
                     {"dmarc", dmarc_json(verdict)}});
}

Result<bool> verify_file(const Config& config, const MessageToVerify& arguments, CliStreams streams, Output& output) {
  const auto envelope = read_envelope(arguments);
  if (!envelope) return tl::unexpected(envelope.error());
  std::ifstream file;
  if (arguments.file != "-") {
    file.open(arguments.file, std::ios::binary);
    if (!file) {
      return fail(ErrorKind::NotFound,
                  fmt::format("{} cannot be read: {}", printable(arguments.file), std::strerror(errno)));
    }
  }
  std::string buffer;
  const auto verdict = verify_message(config, read_from(arguments.file == "-" ? streams.in : file, buffer), *envelope);
  if (!verdict) return tl::unexpected(verdict.error());
  print_verdict(*verdict, config.hostname, *envelope, output);
  return would_be_accepted(*verdict);
}

}  // namespace waxwing
