#include "transport/dns/recursing_resolver.h"

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
struct RecursingResolver::Impl : public std::enable_shared_from_this<Impl> {
  struct Lookup {
    Impl& resolver;
    Question question;
    OnAnswer on_answer;
    std::list<Lookup>::iterator place{};  // in in_flight
    std::vector<std::uint8_t> reply{};
    std::uint32_t dnssec_status = GETDNS_DNSSEC_INDETERMINATE;
  };

  Impl(EventLoop& its_loop, const Options& its_options) : loop(its_loop), options(its_options), adapter(its_loop) {}

  void start_next();
  void ask(Lookup& lookup);
  void on_response(Lookup& lookup);
  [[nodiscard]] static Answer judge(const Lookup& lookup);
  void conclude(Lookup& lookup, const Answer& answer);
  void post(Lookup& lookup, void (Impl::*step)(Lookup&));

  EventLoop& loop;
  const Options options;
  GetdnsEventLoop adapter;
  std::list<Lookup> waiting;    // for their turn
  std::list<Lookup> in_flight;  // before the context: it calls back while it is destroyed
  GetdnsDict all_statuses;
  GetdnsContext context;
  bool alive = true;
};

namespace {

Answer failure(Answer::Status status, std::string detail) {
  Answer answer;
  answer.status = status;
  answer.detail = std::move(detail);
  return answer;
}

}  // namespace

// getdns calls back inside getdns_general() when libunbound has the answer in its cache, and must not be re-entered
// then: every step runs in a turn of its own.
void RecursingResolver::Impl::post(Lookup& lookup, void (Impl::*step)(Lookup&)) {
  loop.post([self = shared_from_this(), &lookup, step] {
    if (self->alive) ((*self).*step)(lookup);
  });
}

void RecursingResolver::Impl::start_next() {
  if (waiting.empty() || in_flight.size() >= options.max_outstanding) return;
  in_flight.splice(in_flight.end(), waiting, waiting.begin());
  in_flight.back().place = std::prev(in_flight.end());
  post(in_flight.back(), &Impl::ask);
}

void RecursingResolver::Impl::ask(Lookup& lookup) {
  const auto on_callback = [](getdns_context*, getdns_callback_type_t, getdns_dict* response, void* argument,
                              getdns_transaction_t) {
    const GetdnsDict owned(response);
    auto& its_lookup = *static_cast<Lookup*>(argument);
    if (!its_lookup.resolver.alive) return;
    its_lookup.reply = reply_octets(response);
    if (response != nullptr) getdns_dict_get_int(response, "/replies_tree/0/dnssec_status", &its_lookup.dnssec_status);
    its_lookup.resolver.post(its_lookup, &Impl::on_response);
  };
  const std::string name = lookup.question.name == "." ? "." : lookup.question.name + ".";
  const getdns_return_t result =
      getdns_general(context.get(), name.c_str(), static_cast<std::uint16_t>(lookup.question.type), all_statuses.get(),
                     &lookup, nullptr, on_callback);
  if (result == GETDNS_RETURN_GOOD) return;
  conclude(lookup,
           failure(Answer::Status::Failed, fmt::format("cannot be asked: {}", getdns_get_errorstr_by_id(result))));
}

void RecursingResolver::Impl::on_response(Lookup& lookup) {
  conclude(lookup, judge(lookup));
}

// The rcode comes before the status, which getdns gives as INSECURE for SERVFAIL.
Answer RecursingResolver::Impl::judge(const Lookup& lookup) {
  if (lookup.reply.empty()) return failure(Answer::Status::Failed, "no answer from the servers of the zone");
  if (lookup.dnssec_status == GETDNS_DNSSEC_BOGUS) return failure(Answer::Status::Bogus, "DNSSEC validation failed");
  const bool secure = lookup.dnssec_status == GETDNS_DNSSEC_SECURE;
  ReplyReading reading =
      read_reply(lookup.reply, lookup.question, secure ? AuthenticatedData::Trusted : AuthenticatedData::Ignored);
  if (reading.kind != ReplyReading::Kind::Proper) {
    return failure(Answer::Status::Failed, reading.answer.detail + " from the servers of the zone");
  }
  if (!secure && lookup.dnssec_status != GETDNS_DNSSEC_INSECURE) {
    return failure(Answer::Status::Failed, "it could not be told whether the zone is signed");
  }
  return std::move(reading.answer);
}

void RecursingResolver::Impl::conclude(Lookup& lookup, const Answer& answer) {
  const OnAnswer on_answer = std::move(lookup.on_answer);
  in_flight.erase(lookup.place);
  start_next();
  on_answer(answer);
}

Result<std::unique_ptr<RecursingResolver>> RecursingResolver::create(EventLoop& loop, const Options& options) {
  auto impl = std::make_shared<Impl>(loop, options);
  auto context = make_recursing_context(impl->adapter, options.roots, options.timeout);
  if (!context) return tl::unexpected(context.error());
  auto all_statuses = make_all_statuses();
  if (!all_statuses) return tl::unexpected(all_statuses.error());
  impl->context = std::move(*context);
  impl->all_statuses = std::move(*all_statuses);
  return std::unique_ptr<RecursingResolver>(new RecursingResolver(std::move(impl)));
}

RecursingResolver::RecursingResolver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

RecursingResolver::~RecursingResolver() {
  impl_->alive = false;
  impl_->context.reset();
  impl_->in_flight.clear();
  impl_->waiting.clear();
}

void RecursingResolver::resolve(const Question& question, OnAnswer on_answer) {
  impl_->waiting.push_back({.resolver = *impl_, .question = question, .on_answer = std::move(on_answer)});
  impl_->start_next();
}

}  // namespace waxwing
