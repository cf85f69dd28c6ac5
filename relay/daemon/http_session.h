#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/daemon/client_arrival.h"
#include "relay/daemon/message_intake.h"
#include "relay/daemon/session_services.h"
#include "relay/server/http_request_reader.h"
#include "relay/server/injection.h"
#include "transport/io/connection.h"
#include "transport/io/timer.h"

namespace waxwing {

/// One connection to a listener that speaks HTTP: takes messages at POST /v1/messages from who shows a token, one request
/// after the other, with the checks of SMTP. Nothing of a body is read before its token is known. Lives on its event loop.
///
/// [handshake ->] { head -> token -> body -> intake -> answer }…
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using OnFinished = std::function<void(HttpSession&)>;
  /// @param on_finished  called once, when the session is over and may be let go; not inside the constructor
  [[nodiscard]] static std::shared_ptr<HttpSession> start(const SessionServices& services,
                                                          std::unique_ptr<Connection> connection,
                                                          OnFinished on_finished);

  /// Ends it as soon as no message is under way.
  void shut_down();

 private:
  struct Answer {
    int status = 200;
    std::string body;  ///< JSON
  };

  HttpSession(const SessionServices& services, std::unique_ptr<Connection> connection, OnFinished on_finished);
  void listen();
  void arrive(ClientArrival::Step step);
  void begin();
  void work();
  void judge_head();
  [[nodiscard]] std::optional<Answer> recognise();
  void take_message();
  void take_in(Injection injection);
  [[nodiscard]] std::optional<Answer> earlier_answer();
  void limit_waiting();
  [[nodiscard]] bool reserve(std::uint64_t octets);
  void release();
  void answer(const Answer& answer);
  void end_with(const Answer& answer);
  void end();

  [[nodiscard]] static Answer refusal(const ServerReply& reply);
  [[nodiscard]] static Answer problem(int status, std::string_view text);

  const SessionServices& services_;
  EventLoop& loop_;
  std::unique_ptr<Connection> connection_;
  ClientArrival arrival_;
  OnFinished on_finished_;
  HttpRequestReader reader_;
  Timer timer_;
  std::optional<Account> account_;  ///< of the request at hand
  SubmissionKey key_;               ///< of the request at hand; empty without Idempotency-Key
  MonotonicTime begun_;             ///< when the request at hand was first waited for
  std::uint64_t body_received_ = 0;
  std::uint64_t reserved_octets_ = 0;  ///< of SessionServices::http_octets
  bool busy_ = false;                  ///< an intake is under way
  std::shared_ptr<MessageIntake> answering_;
  bool stopping_ = false;  ///< no further request is taken
  bool ended_ = false;
};

/// Largest request.
inline constexpr std::uint64_t kMaxHttpRequestOctets = 64ULL << 20;
/// Requests that one listener of one worker holds in memory at the same time; others are told to come again.
inline constexpr std::uint64_t kMaxHttpOctetsInMemory = 128ULL << 20;

}  // namespace waxwing
