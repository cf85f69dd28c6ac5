#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/delivery/delivery_connection.h"
#include "transport/delivery/destination_planner.h"
#include "transport/smtp/extensions.h"

namespace waxwing {

/// What a session with one MX host came to.
struct ProbedHost {
  std::string name;
  std::optional<SmtpFailure> failure;  ///< no value: ready for mail
  ConnectionFacts facts;
  SmtpExtensions extensions;  ///< what it offers inside TLS
};

/// Opens one session with each usable host of a plan, as a delivery would, up to the point where mail could follow, and
/// ends it with QUIT. All sessions at the same time.
class DestinationProbe : private DeliveryConnection::Owner, public std::enable_shared_from_this<DestinationProbe> {
 public:
  struct Options {
    DeliveryConnection::Options connection;
  };
  using OnDone = std::function<void(std::vector<ProbedHost>)>;

  DestinationProbe(EventLoop& loop, TlsClientContext& tls, Options options);

  /// @param on_done  called once, perhaps inside this call, with the usable hosts in the order of the plan
  void start(const DestinationPlan& plan, OnDone on_done);

 private:
  struct Session {
    std::shared_ptr<DeliveryConnection> connection;
    std::size_t index;  // into results_
    PlannedHost host;
  };

  // @param index  place of its result
  void open(const PlannedHost& host, std::size_t index);
  void on_ready(DeliveryConnection& connection) override;
  void on_gone(DeliveryConnection& connection, const std::optional<SmtpFailure>& failure) override;
  void finish_if_done();

  EventLoop& loop_;
  TlsClientContext& tls_;
  const Options options_;
  OnDone on_done_;
  bool opening_ = false;
  std::map<DeliveryConnection*, Session> sessions_;
  std::vector<ProbedHost> results_;
};

}  // namespace waxwing
