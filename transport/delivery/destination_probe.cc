#include "transport/delivery/destination_probe.h"

#include <utility>

namespace waxwing {

DestinationProbe::DestinationProbe(EventLoop& loop, TlsClientContext& tls, Options options)
    : loop_(loop), tls_(tls), options_(std::move(options)) {}

void DestinationProbe::start(const DestinationPlan& plan, OnDone on_done) {
  const auto self = shared_from_this();
  on_done_ = std::move(on_done);
  opening_ = true;
  for (const PlannedHost& host : plan.hosts) {
    if (host.requirement.method == TlsRequirement::Method::Defer || host.addresses.empty()) continue;
    results_.push_back({host.name, std::nullopt, {}, {}});
    open(host, results_.size() - 1);
  }
  opening_ = false;
  finish_if_done();
}

void DestinationProbe::open(const PlannedHost& host, std::size_t index) {
  const Endpoint endpoint{host.addresses.front(), host.port};
  DeliveryConnection::Options options = options_.connection;
  auto connection = std::make_shared<DeliveryConnection>(loop_, tls_, static_cast<DeliveryConnection::Owner&>(*this),
                                                         host.name, endpoint, host.requirement, std::move(options));
  results_[index].facts = connection->facts();
  sessions_.emplace(connection.get(), Session{connection, index, host});
  connection->start();
}

void DestinationProbe::on_ready(DeliveryConnection& connection) {
  ProbedHost& result = results_[sessions_.at(&connection).index];
  result.facts = connection.facts();
  result.extensions = connection.extensions();
  if (connection.usable()) connection.quit();
}

void DestinationProbe::on_gone(DeliveryConnection& connection, const std::optional<SmtpFailure>& failure) {
  const auto self = shared_from_this();
  const auto found = sessions_.find(&connection);
  const Session session = std::move(found->second);
  sessions_.erase(found);
  ProbedHost& result = results_[session.index];
  result.facts = connection.facts();
  result.failure = failure;
  if (result.facts.may_be_tried_again) return open(session.host, session.index);
  finish_if_done();
}

void DestinationProbe::finish_if_done() {
  if (opening_ || !sessions_.empty()) return;
  if (const auto on_done = std::exchange(on_done_, nullptr)) on_done(std::move(results_));
}

}  // namespace waxwing
