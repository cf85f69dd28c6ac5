// waxwing-resolve SERVER PORT [NAME CA_FILE PIN], or recursing ROOT_SERVER TRUST_ANCHOR_FILE TIMEOUT_MS: reads lines "NAME TYPE" and prints for each "NAME TYPE STATUS DETAIL" in any order, with
// status as secure, insecure, bogus or failed, and -nxdomain or -nodata where there are no records.

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/dns/getdns_resolver.h"
#include "transport/dns/recursing_resolver.h"

namespace {

using namespace waxwing;

std::optional<RecordType> read_type(std::string_view text) {
  constexpr std::array kTypes = {RecordType::A,   RecordType::CNAME, RecordType::PTR, RecordType::MX,
                                 RecordType::TXT, RecordType::AAAA,  RecordType::TLSA};
  for (const RecordType type : kTypes) {
    if (record_type_name(type) == text) return type;
  }
  return std::nullopt;
}

std::string describe(const Answer& answer) {
  if (answer.status == Answer::Status::Failed) return "failed";
  if (answer.status == Answer::Status::Bogus) return "bogus";
  std::string text = answer.status == Answer::Status::Secure ? "secure" : "insecure";
  if (!answer.name_exists) return text + "-nxdomain";
  return answer.records.empty() ? text + "-nodata" : text;
}

template <class Kind>
std::unique_ptr<Resolver> make(EventLoop& loop, const typename Kind::Options& options) {
  auto resolver = Kind::create(loop, options);
  if (resolver) return std::move(*resolver);
  fmt::print(stderr, "{}\n", resolver.error().detail);
  return nullptr;
}

int run(EventLoop& loop, Resolver& resolver) {
  std::size_t outstanding = 0;
  std::string name;
  std::string type_text;
  while (std::cin >> name >> type_text) {
    const auto type = read_type(type_text);
    if (!type) {
      fmt::print(stderr, "unknown type {}\n", type_text);
      return 2;
    }
    ++outstanding;
    resolver.resolve({name, *type}, [&, name, type_text](const Answer& answer) {
      fmt::print("{} {} {} {} records={} ttl={} canonical={} alias={}\n", name, type_text, describe(answer),
                 answer.detail, answer.records.size(), answer.ttl_seconds, answer.canonical_name,
                 answer.alias_secure ? "secure" : "unproven");
      if (--outstanding == 0) loop.stop();
    });
  }
  if (outstanding > 0) loop.run();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  EventLoop loop;
  std::unique_ptr<Resolver> resolver;
  const bool recursing = words.size() == 4 && words[0] == "recursing";
  if (const auto server = IpAddress::parse(words.size() < 2 ? "" : words[recursing ? 1 : 0]); server && recursing) {
    resolver = make<RecursingResolver>(loop, {.roots = {.trust_anchor_file = words[2], .root_servers = {*server}},
                                              .timeout = Milliseconds(std::atoi(words[3].c_str()))});
  } else if (server && (words.size() == 2 || words.size() == 5)) {
    GetdnsResolver::Options options{.server = *server, .port = static_cast<std::uint16_t>(std::atoi(words[1].c_str()))};
    if (words.size() == 5) {
      options.tls = DnsTlsIdentity{.name = words[2], .pins = {}, .ca_file = words[3]};
      if (!words[4].empty()) options.tls->pins = {words[4]};
    }
    resolver = make<GetdnsResolver>(loop, options);
  } else {
    fmt::print(stderr,
               "usage: waxwing-resolve SERVER PORT [NAME CA_FILE PIN]\n"
               "       waxwing-resolve recursing ROOT_SERVER TRUST_ANCHOR_FILE TIMEOUT_MS\n");
    return 2;
  }
  return resolver == nullptr ? 1 : run(loop, *resolver);
}
