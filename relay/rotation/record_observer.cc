#include "relay/rotation/record_observer.h"

#include <map>
#include <memory>
#include <utility>

#include "relay/rotation/record_sight.h"
#include "relay/rotation/server_answers.h"
#include "transport/dns/dns_client.h"
#include "transport/io/event_loop.h"

namespace waxwing {
namespace {

/// All looks of one call.
class Observation {
 public:
  Observation(const std::vector<ObservedRecord>& records, const RecordObserver::Options& options)
      : records_(records),
        options_(options),
        client_(loop_, {options.timeout, options.timeout / 3}),
        looks_(records.size()),
        sightings_(records.size()) {}

  std::vector<RecordSighting> run() {
    if (records_.empty()) return {};
    for (std::size_t i = 0; i < options_.at_a_time; ++i) begin_next();
    loop_.run();
    return std::move(sightings_);
  }

 private:
  struct OneLook {
    ServerAnswers answers;
    std::size_t outstanding = 0;
    WallTime at;
  };
  struct Shared {
    std::shared_ptr<const ServerAnswer> answer;  // nullptr: asked, and not yet there
    std::vector<std::size_t> waiting;            // looks
  };

  void begin_next() {
    if (begun_ == records_.size()) return;
    const std::size_t index = begun_++;
    looks_[index].at = loop_.wall_now();
    loop_.post([this, index] { go_on(index); });
  }

  void go_on(std::size_t index) {
    OneLook& look = looks_[index];
    auto sighting =
        sight_record(records_[index].name, records_[index].record, records_[index].expected, look.at, look.answers);
    if (sighting) return finish(index, std::move(*sighting));
    const std::vector<ServerQuestion> missing = look.answers.take_missing();
    look.outstanding = missing.size();
    for (const ServerQuestion& question : missing) ask(index, question);
  }

  void finish(std::size_t index, RecordSighting sighting) {
    sightings_[index] = std::move(sighting);
    looks_[index].answers = ServerAnswers();
    if (++done_ == records_.size()) return loop_.stop();
    begin_next();
  }

  // Answers of the resolver about zones and servers serve many looks.
  void ask(std::size_t index, const ServerQuestion& question) {
    if (question.server || question.type == dns::kTypeTxt) {
      return send(question, [this, index, question](auto answer) { on_answer(index, question, std::move(answer)); });
    }
    const auto [place, is_new] = shared_.try_emplace(question);
    if (place->second.answer) {
      auto answer = place->second.answer;
      return loop_.post([this, index, question, answer] { on_answer(index, question, answer); });
    }
    place->second.waiting.push_back(index);
    if (!is_new) return;
    send(question, [this, question](std::shared_ptr<const ServerAnswer> answer) {
      Shared& shared = shared_.at(question);
      shared.answer = answer;
      for (const std::size_t each : std::exchange(shared.waiting, {})) on_answer(each, question, answer);
    });
  }

  void send(const ServerQuestion& question, std::function<void(std::shared_ptr<const ServerAnswer>)> on_reply) {
    const Endpoint server = question.server ? Endpoint{*question.server, options_.server_port} : options_.resolver;
    const std::uint16_t flags = question.server ? 0 : dns::kFlagRecursion;
    auto query = write_dns_query(0, question.name, question.type, flags);
    client_.ask(server, question.carrier, query ? std::move(*query) : std::string(),
                [on_reply = std::move(on_reply)](Result<DnsMessage> reply) {
                  auto answer = std::make_shared<ServerAnswer>();
                  if (reply) {
                    answer->kind = ServerAnswer::Kind::Answered;
                    answer->message = std::move(*reply);
                  } else {
                    answer->detail = reply.error().detail;
                    if (reply.error().kind == ErrorKind::NotFound) answer->kind = ServerAnswer::Kind::Unroutable;
                  }
                  on_reply(std::move(answer));
                });
  }

  void on_answer(std::size_t index, const ServerQuestion& question, std::shared_ptr<const ServerAnswer> answer) {
    OneLook& look = looks_[index];
    look.answers.add(question, std::move(answer));
    if (--look.outstanding == 0) go_on(index);
  }

  const std::vector<ObservedRecord>& records_;
  const RecordObserver::Options& options_;
  EventLoop loop_;
  DnsClient client_;
  std::vector<OneLook> looks_;
  std::vector<RecordSighting> sightings_;
  std::map<ServerQuestion, Shared> shared_;
  std::size_t begun_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

std::vector<RecordSighting> RecordObserver::observe(const std::vector<ObservedRecord>& records) const {
  return Observation(records, options_).run();
}

}  // namespace waxwing
