import java.util.Properties;
import javax.mail.Authenticator;
import javax.mail.Message;
import javax.mail.PasswordAuthentication;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;

public class JavaMail {
  public static void main(String[] arguments) throws Exception {
    String way = System.getenv("WAY");
    Properties settings = new Properties();
    settings.put("mail.smtp.host", System.getenv("HOST"));
    settings.put("mail.smtp.port", System.getenv("PORT"));
    settings.put("mail.smtp.auth", "true");
    settings.put("mail.smtp.ssl.checkserveridentity", "true");
    settings.put("mail.smtp.ssl.enable", String.valueOf(way.equals("implicit")));
    settings.put("mail.smtp.starttls.enable", String.valueOf(way.equals("starttls")));
    settings.put("mail.smtp.starttls.required", String.valueOf(way.equals("starttls")));
    Session session = Session.getInstance(settings, new Authenticator() {
      @Override
      protected PasswordAuthentication getPasswordAuthentication() {
        return new PasswordAuthentication(System.getenv("SMTP_USER"), System.getenv("PASSWORD"));
      }
    });
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress(System.getenv("SENDER")));
    message.setRecipient(Message.RecipientType.TO, new InternetAddress(System.getenv("RECIPIENT")));
    message.setSubject(System.getenv("SUBJECT"));
    message.setText(System.getenv("BODY"));
    Transport.send(message);
  }
}
