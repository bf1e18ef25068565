package clients;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A service that knows nothing of tracepact: only the address of its Zipkin is set, from outside. */
@SpringBootApplication
@RestController
public class Greeter {
  public static void main(String[] args) {
    SpringApplication.run(Greeter.class, args);
  }

  @GetMapping("/hello")
  public String hello() {
    return "hello";
  }
}
