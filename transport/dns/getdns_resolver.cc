#include "transport/dns/getdns_resolver.h"

#include <fmt/format.h>

#include <iterator>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "transport/dns/answer_reader.h"
#include "transport/dns/getdns_context.h"

namespace waxwing {
// Outlives its resolver only inside tasks that are posted already; these find `alive` false.
struct GetdnsResolver::Impl : public std::enable_shared_from_this<Impl> {
  enum class Checking { Enabled, Disabled };

  struct Lookup {
    Impl& resolver;
    Question question;
    OnAnswer on_answer;
    std::list<Lookup>::iterator place{};  // in in_flight
    std::size_t attempt = 0;
    Checking checking = Checking::Enabled;
    std::vector<std::uint8_t> reply;
  };

  Impl(EventLoop& its_loop, const Options& its_options)
      : loop(its_loop), options(its_options), adapter(its_loop), server(options.server.str()) {}

  void start_next();
  void ask(Lookup& lookup);
  void on_response(Lookup& lookup);
  void on_proper(Lookup& lookup, Answer answer);
  void on_server_failure(Lookup& lookup);
  void try_again(Lookup& lookup, std::string detail);
  void fail_with(Lookup& lookup, Answer::Status status, std::string detail);
  void conclude(Lookup& lookup, const Answer& answer);
  void post(Lookup& lookup, void (Impl::*step)(Lookup&));

  EventLoop& loop;
  const Options options;
  GetdnsEventLoop adapter;
  const std::string server;
  std::list<Lookup> waiting;    // for their turn
  std::list<Lookup> in_flight;  // before the contexts: they call back while they are destroyed
  GetdnsDict checking_disabled;
  GetdnsContext first;  // of all attempts but the last
  GetdnsContext last;
  bool alive = true;
};

// getdns must not be re-entered or destroyed from its callbacks, so every step runs in a turn of its own.
void GetdnsResolver::Impl::post(Lookup& lookup, void (Impl::*step)(Lookup&)) {
  loop.post([self = shared_from_this(), &lookup, step] {
    if (self->alive) ((*self).*step)(lookup);
  });
}

// Our own limit: getdns's counts the time in its queue as time without an answer, and leaves a timer behind that refers
// to the context when that is destroyed.
void GetdnsResolver::Impl::start_next() {
  if (waiting.empty() || in_flight.size() >= options.max_outstanding) return;
  in_flight.splice(in_flight.end(), waiting, waiting.begin());
  in_flight.back().place = std::prev(in_flight.end());
  post(in_flight.back(), &Impl::ask);
}

void GetdnsResolver::Impl::ask(Lookup& lookup) {
  const bool is_last = lookup.attempt + 1 == options.attempt_timeouts.size();
  getdns_context* context = is_last && last ? last.get() : first.get();
  getdns_dict* extensions = lookup.checking == Checking::Disabled ? checking_disabled.get() : nullptr;
  const auto on_callback = [](getdns_context*, getdns_callback_type_t, getdns_dict* response, void* argument,
                              getdns_transaction_t) {
    const GetdnsDict owned(response);
    auto& its_lookup = *static_cast<Lookup*>(argument);
    if (!its_lookup.resolver.alive) return;
    its_lookup.reply = reply_octets(response);
    its_lookup.resolver.post(its_lookup, &Impl::on_response);
  };
  lookup.reply.clear();
  const auto timeout = static_cast<std::uint64_t>(options.attempt_timeouts[lookup.attempt].count());
  const std::string name = lookup.question.name == "." ? "." : lookup.question.name + ".";
  getdns_return_t result = getdns_context_set_timeout(context, timeout);
  if (result == GETDNS_RETURN_GOOD) {
    result = getdns_general(context, name.c_str(), static_cast<std::uint16_t>(lookup.question.type), extensions,
                            &lookup, nullptr, on_callback);
  }
  if (result != GETDNS_RETURN_GOOD) {
    fail_with(lookup, Answer::Status::Failed, fmt::format("cannot be asked: {}", getdns_get_errorstr_by_id(result)));
  }
}

void GetdnsResolver::Impl::on_response(Lookup& lookup) {
  if (lookup.reply.empty()) {
    try_again(lookup, fmt::format("no answer from {}", server));
    return;
  }
  const bool is_trusted = options.tls || options.server.is_loopback();
  const auto trust = is_trusted ? AuthenticatedData::Trusted : AuthenticatedData::Ignored;
  ReplyReading reading = read_reply(lookup.reply, lookup.question, trust);
  const std::string detail = fmt::format("{} from {}", reading.answer.detail, server);
  switch (reading.kind) {
    case ReplyReading::Kind::Proper:
      on_proper(lookup, std::move(reading.answer));
      break;
    case ReplyReading::Kind::ServerFailure:
      on_server_failure(lookup);
      break;
    case ReplyReading::Kind::Refused:
      fail_with(lookup, Answer::Status::Failed, detail);
      break;
    case ReplyReading::Kind::Unreadable:
      try_again(lookup, detail);
      break;
  }
}

void GetdnsResolver::Impl::on_proper(Lookup& lookup, Answer answer) {
  if (lookup.checking == Checking::Disabled) {
    fail_with(lookup, Answer::Status::Bogus, fmt::format("DNSSEC validation failed at {}", server));
  } else {
    conclude(lookup, answer);
  }
}

void GetdnsResolver::Impl::on_server_failure(Lookup& lookup) {
  if (lookup.checking == Checking::Disabled) {
    fail_with(lookup, Answer::Status::Failed, fmt::format("SERVFAIL from {}", server));
    return;
  }
  lookup.checking = Checking::Disabled;
  lookup.attempt = 0;
  ask(lookup);
}

void GetdnsResolver::Impl::try_again(Lookup& lookup, std::string detail) {
  if (lookup.checking == Checking::Disabled) {
    fail_with(lookup, Answer::Status::Failed, fmt::format("SERVFAIL from {}", server));
  } else if (lookup.attempt + 1 == options.attempt_timeouts.size()) {
    fail_with(lookup, Answer::Status::Failed, std::move(detail));
  } else {
    ++lookup.attempt;
    ask(lookup);
  }
}

void GetdnsResolver::Impl::fail_with(Lookup& lookup, Answer::Status status, std::string detail) {
  Answer answer;
  answer.status = status;
  answer.detail = std::move(detail);
  conclude(lookup, answer);
}

void GetdnsResolver::Impl::conclude(Lookup& lookup, const Answer& answer) {
  const OnAnswer on_answer = std::move(lookup.on_answer);
  in_flight.erase(lookup.place);
  start_next();
  on_answer(answer);
}

Result<std::unique_ptr<GetdnsResolver>> GetdnsResolver::create(EventLoop& loop, const Options& options) {
  auto impl = std::make_shared<Impl>(loop, options);
  const DnsTransport transport = options.tls ? DnsTransport::Tls : DnsTransport::UdpThenTcp;
  auto first =
      make_stub_context(impl->adapter, options.server, options.port, transport, options.tls.value_or(DnsTlsIdentity()));
  if (!first) return tl::unexpected(first.error());
  impl->first = std::move(*first);
  if (!options.tls) {
    auto last = make_stub_context(impl->adapter, options.server, options.port, DnsTransport::Tcp);
    if (!last) return tl::unexpected(last.error());
    impl->last = std::move(*last);
  }
  auto checking_disabled = make_checking_disabled();
  if (!checking_disabled) return tl::unexpected(checking_disabled.error());
  impl->checking_disabled = std::move(*checking_disabled);
  return std::unique_ptr<GetdnsResolver>(new GetdnsResolver(std::move(impl)));
}

GetdnsResolver::GetdnsResolver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

GetdnsResolver::~GetdnsResolver() {
  impl_->alive = false;
  impl_->last.reset();
  impl_->first.reset();
  impl_->in_flight.clear();
  impl_->waiting.clear();
}

void GetdnsResolver::resolve(const Question& question, OnAnswer on_answer) {
  impl_->waiting.push_back({.resolver = *impl_, .question = question, .on_answer = std::move(on_answer), .reply = {}});
  impl_->start_next();
}

}  // namespace waxwing
