#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/daemon/client_arrival.h"
#include "relay/daemon/message_intake.h"
#include "relay/daemon/session_services.h"
#include "relay/server/server_engine.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_session.h"

namespace waxwing {

/// One submission connection: moves octets between the stream and the engine, and does what the engine asks for. Lives
/// on its event loop.
class SubmissionSession : public std::enable_shared_from_this<SubmissionSession> {
 public:
  /// @param on_finished  called once, when the session is over and may be let go; not inside the constructor
  [[nodiscard]] static std::shared_ptr<SubmissionSession> start(const SessionServices& services,
                                                                std::unique_ptr<Connection> connection,
                                                                std::function<void(SubmissionSession&)> on_finished);

  /// Ends it as soon as no message is under way.
  void shut_down();

 private:
  SubmissionSession(const SessionServices& services, std::unique_ptr<Connection> connection,
                    std::function<void(SubmissionSession&)> on_finished);
  void listen();
  void on_timer();
  void arrive(ClientArrival::Step step);
  void greet();
  void recognise(SmtpServerEngine::Options& options);
  void identify();
  [[nodiscard]] std::optional<ServerReply> count_as(const Account& account);
  void work();
  bool serve_need();
  void authenticate();
  void look_up_scram_keys();
  bool judge_scram();
  void log_in_by_certificate();
  void on_login(const std::string& user, Result<Account> account);
  [[nodiscard]] SmtpServerEngine::Certificate judge_certificate();
  [[nodiscard]] ScramServer::ChannelBinding channel_binding() const;
  [[nodiscard]] bool offers_scram();
  void hand_on_content();
  [[nodiscard]] std::optional<ServerReply> check_message();
  [[nodiscard]] bool is_peer() const;
  [[nodiscard]] IpAddress client() const;
  void finish_message();
  void on_answer(const tl::expected<Acceptance, ServerReply>& answer);
  void end();

  const SessionServices& services_;
  EventLoop& loop_;
  std::unique_ptr<Connection> connection_;
  ClientArrival arrival_;
  std::function<void(SubmissionSession&)> on_finished_;
  std::optional<SmtpServerEngine> engine_;    ///< with implicit TLS only from the handshake on
  std::shared_ptr<MessageIntake> intake_;     ///< of the message that comes in
  std::shared_ptr<MessageIntake> answering_;  ///< of the one that has come, until it is answered
  bool has_left_ = false;                     ///< the client says nothing more, and may still read
  CertificateIdentities certificate_;         ///< whom the client's certificate stands for, once that is verified
  std::optional<Account> counted_as_;         ///< among the connections of this account
  Timer timer_;
  std::optional<SmtpServerEngine::Need> under_way_;  ///< asked for by the engine and not answered yet
  bool reading_ = true;
  bool ended_ = false;
};

}  // namespace waxwing
